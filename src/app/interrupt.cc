// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/interrupt.h"

namespace sightline {

namespace {

volatile std::sig_atomic_t received = 0;

void note(int) { received = received + 1; }

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

}  // namespace sightline
