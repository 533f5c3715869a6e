// SPDX-License-Identifier: BSD-3-Clause
//
// Runs requests on an engine until they are answered or the user interrupts. Main thread.

#pragma once

#include "sheaf/clock.hpp"
#include "sheaf/engine.hpp"

#include <csignal>

namespace sheaf::app {

/// Thrown when SIGINT, SIGTERM or SIGHUP arrives. Unwinding ends the engine, which cancels the running requests, and
/// removes what the command has made.
struct interrupted {
  int signal = 0;
};

/// Turns SIGINT, SIGTERM and SIGHUP into something to wait for, while it lives. Make it before the engine, whose
/// threads inherit the blocked signals. Signals that were ignored (`nohup`) stay so.
class signal_watch {
public:
  signal_watch();
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// Waits until `fd` can be read; with a negative one, for nothing but time. False when `until` comes first. Throws
  /// `interrupted` when a signal comes first.
  bool wait_for(int fd, clock::time_point until = clock::time_point::max()) const;

private:
  sigset_t before_{};
  int fd_ = -1;
};

/// The descriptor, or the end of the command when there is none left.
int checked_descriptor(int fd);

/// Runs the request and waits for its reply. Throws `interrupted`; the request is cancelled then.
reply run(engine& on, request asked, const signal_watch& signals);

/// Runs all of them at once and waits for their replies, which come in the same order. Throws `interrupted`; they are
/// cancelled then.
std::vector<reply> run_all(engine& on, std::vector<request> all, const signal_watch& signals);

/// An engine on these options, or the end of the command: an error in them is the user's input.
std::unique_ptr<engine> make_engine(options how);

} // namespace sheaf::app
