// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the kernel says this process uses.

#pragma once

#include <map>
#include <string>

namespace sightline::bench {

double resident_megabytes();
double peak_megabytes();  // the most that was ever resident
int thread_count();
int open_file_count();
double cpu_seconds();         // of all threads, in user code and in the kernel
double thread_cpu_seconds();  // of this one, which others on a busy machine do not add to
// Likewise of those that run now, summed up by their names without digits.
std::map<std::string, double> cpu_seconds_by_name();

}  // namespace sightline::bench
