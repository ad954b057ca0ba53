// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Ctrl-C and TERM as a wish to end in good order.

#pragma once

#include <csignal>

namespace sightline {

// While one lives, the two signals are counted instead of ending the program. One at a time.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int count() const;  // how often it was wished for
  // For whoever else wishes it: somebody closed the window, or said so. From any thread.
  void request() const;

 private:
  struct sigaction before_interrupt_, before_terminate_;
};

}  // namespace sightline
