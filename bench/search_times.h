// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What searches take, by several ways that take turns.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace sightline::bench {

// One way to search. A call of `run` has the number of its turn, and searches for `queries`.
struct Way {
  std::string key;   // in JSON
  std::string name;  // in the table
  std::size_t queries = 1;
  std::function<void(std::size_t turn)> run;
  std::string beside;  // the key of what its ratio is to; empty: none

  std::vector<double> seconds;        // a query, of each call of all rounds
  std::vector<double> round_medians;  // and their medians
};

// Each way in each round for `seconds`, after some calls that do not count: of what one way leaves
// in the caches another has no use.
void take_turns(std::vector<Way>& ways, int rounds, double seconds);

double quantile(std::vector<double> values, double part);
// The median, over the rounds, of what `way` takes by what `other` takes.
double ratio(const Way& way, const Way& other);

}  // namespace sightline::bench
