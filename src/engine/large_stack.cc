// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/large_stack.h"

#include <exception>
#include <fstream>
#include <iterator>

#include <pthread.h>

namespace sightline {

namespace {

constexpr std::size_t kOrdinaryStack = std::size_t{8} << 20;
constexpr std::size_t kStackPerCharacter =
    1024;  // about 350 bytes were measured; pages are taken as they are touched

struct Task {
  const std::function<void()>& action;
  std::exception_ptr problem;
};

std::size_t command_line_length() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  return static_cast<std::size_t>(
      std::distance(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()));
}

void* run(void* argument) {
  auto& task = *static_cast<Task*>(argument);
  try {
    task.action();
  } catch (...) {
    task.problem = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void on_large_stack(const std::function<void()>& action) {
  Task task{action, nullptr};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes,
                            kOrdinaryStack + kStackPerCharacter * command_line_length());
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, &run, &task) == 0;
  pthread_attr_destroy(&attributes);
  if (started)
    pthread_join(thread, nullptr);
  else
    run(&task);  // no memory for such a stack: the one we have must do
  if (task.problem) std::rethrow_exception(task.problem);
}

}  // namespace sightline
