// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The file of a deepstream-app as one of an installation.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

// What there is no way to say, or is said otherwise, and why.
struct NotCovered {
  std::string where;  // "app.txt:31"
  std::string what;   // "[sink3] type = 4"
  std::string why;
};

struct MigratedApp {
  std::string site;       // YAML, as docs/installation-file.md describes it
  std::string analytics;  // INI, as docs/analytics.md describes it; empty: none
  std::vector<NotCovered> not_covered;
};

inline constexpr char kMigratedAnalytics[] = "analytics.ini";

// Reads the file and those of tracker and analytics that it names. Paths in `site` are relative to
// `folder`, where it is going to be. Throws Error: a file cannot be read, or there is nothing to
// run.
MigratedApp migrate_deepstream_app(const std::filesystem::path& file,
                                   const std::filesystem::path& folder);

}  // namespace sightline
