// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/interrupt.h"

#include <atomic>

namespace sightline {

namespace {

std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free, "signal handlers may use nothing else");

void note(int) { ++received; }

}  // namespace

Interrupts::Interrupts() {
  received = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_interrupt_);
  sigaction(SIGTERM, &action, &before_terminate_);
}

Interrupts::~Interrupts() {
  sigaction(SIGINT, &before_interrupt_, nullptr);
  sigaction(SIGTERM, &before_terminate_, nullptr);
}

int Interrupts::count() const { return received; }

void Interrupts::request() const { ++received; }

}  // namespace sightline
