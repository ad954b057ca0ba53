// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/foreign_families.h"

#include <map>
#include <mutex>

namespace sightline {

namespace {

struct Schemes {
  std::mutex mutex;
  std::map<std::string, MakeForeignFamily> makers;
};

Schemes& schemes() {
  static Schemes known;
  return known;
}

}  // namespace

void register_foreign_families(const std::string& scheme, MakeForeignFamily make) {
  Schemes& known = schemes();
  const std::lock_guard lock(known.mutex);
  known.makers[scheme] = make;
}

MakeForeignFamily find_foreign_families(const std::string& scheme) {
  Schemes& known = schemes();
  const std::lock_guard lock(known.mutex);
  const auto found = known.makers.find(scheme);
  return found == known.makers.end() ? nullptr : found->second;
}

std::string foreign_scheme(const ConfigFile& config) {
  const auto family = config.find("property", "model-family");
  const std::size_t colon = family ? family->text().find(':') : std::string::npos;
  return colon == std::string::npos ? "" : family->text().substr(0, colon);
}

std::unique_ptr<Postprocessor> make_foreign_family(const ConfigFile& config,
                                                   const NetworkShape& network) {
  const std::string scheme = foreign_scheme(config);
  if (scheme.empty()) return nullptr;
  const auto family = config.get("property", "model-family");
  const MakeForeignFamily make = find_foreign_families(scheme);
  if (make == nullptr)
    family.fail("nobody here makes families of \"" + scheme + "\"" +
                (scheme == "python" ? ": the plugin sightlinepython, which does, is not there "
                                      "(gst-inspect-1.0 sightpython)"
                                    : ". Known is python:module.function"));
  return make(family.text().substr(scheme.size() + 1), config, network);
}

}  // namespace sightline
