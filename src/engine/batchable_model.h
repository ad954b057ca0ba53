// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Models whose file says batch 1 run in batches, where their graph allows.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/session.h"

namespace sightline {

struct BatchableModel {
  std::string bytes;                       // what was loaded: the file's, or edited
  std::shared_ptr<const Session> session;  // of `bytes`, with one thread
  int largest_batch = 1;                   // INT_MAX: any
  std::string why;                         // for people: "3 items in a batch equal 3 single runs"
};

// Loads `model` with items of shape `item` (known in full). Where a batch of 3 random items gives
// what 3 single runs give (1e-5 of the largest value; float16: 2e-3), it has a batch dimension that
// is open; else the file's own batch, with the reason. A network whose single run takes longer than
// half a second is not tried unless `batch_wanted`: a batch would gain nothing that is worth the
// wait.
//
// Throws Error(kModel) without the file's name: it does not load or run, or a batch in the file is
// no batch, since its items change each other's results.
BatchableModel make_batchable(std::string_view model, const Shape& item,
                              const SessionOptions& options, bool batch_wanted);

}  // namespace sightline
