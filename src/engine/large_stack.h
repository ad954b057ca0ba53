// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <functional>

namespace sightline {

// Runs `action` and returns when it has ended, on a thread whose stack has room for a recursion
// over the process's command line.
//
// ONNX Runtime 1.29 matches /proc/self/cmdline with a recursive regular expression when it starts:
// a long command line (a glob of some hundred pictures) overflows an ordinary stack. What `action`
// throws is thrown here.
void on_large_stack(const std::function<void()>& action);

}  // namespace sightline
