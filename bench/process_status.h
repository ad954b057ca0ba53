// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the kernel says this process uses.

#pragma once

#include <string>

namespace sightline::bench {

double resident_megabytes();
double peak_megabytes();  // the most that was ever resident
int thread_count();
int open_file_count();
double cpu_seconds();  // of all threads, in user code and in the kernel

}  // namespace sightline::bench
