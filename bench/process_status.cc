// SPDX-License-Identifier: LGPL-2.1-or-later

#include "process_status.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <time.h>

namespace sightline::bench {

namespace {

// A line of /proc/self/status.
double status(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (word == key + ":") {
      double value = 0;
      file >> value;
      return value;
    }
  return 0;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

double resident_megabytes() { return status("VmRSS") / 1024; }
double peak_megabytes() { return status("VmHWM") / 1024; }
int thread_count() { return static_cast<int>(status("Threads")); }

int open_file_count() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<int>(std::distance(begin(files), end(files))) - 1;  // without this listing
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::map<std::string, double> cpu_seconds_by_name() {
  std::map<std::string, double> found;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream name_file(thread.path() / "comm"), times(thread.path() / "schedstat");
    std::string name;
    double nanoseconds = 0;
    std::getline(name_file, name);
    if (!(times >> nanoseconds)) continue;  // it has ended
    std::erase_if(name, [](unsigned char c) { return std::isdigit(c); });
    found[name] += 1e-9 * nanoseconds;
  }
  return found;
}

}  // namespace sightline::bench
