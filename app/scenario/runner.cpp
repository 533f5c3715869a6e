// SPDX-License-Identifier: BSD-3-Clause
//
// Joins a reply, which arrives on the engine's loop, and signals, which arrive anywhere, in one poll(). Main thread.

#include "app/scenario/runner.hpp"

#include "app/base/exit.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace sheaf::app {

namespace {

/// The place where the engine's loop leaves the reply. Outlives the waiting caller, for an engine that answers while it
/// ends.
struct mailbox {
  mailbox() : fd(checked_descriptor(eventfd(0, EFD_CLOEXEC))) {}
  ~mailbox() { close(fd); }
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  void put(reply x) {
    content = std::move(x);
    const std::uint64_t one = 1;
    // Also the barrier between the loop's thread and the one that waits.
    [[maybe_unused]] const auto written = write(fd, &one, sizeof one);
  }

  /// Takes the reply, once `fd` can be read.
  reply take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(fd, &count, sizeof count); // the barrier's other side
    return std::move(content);
  }

  int fd;
  reply content;
};

/// A signal ends the requests, on their servers too: what comes next, a teardown, does not wait for them.
void wait_or_cancel(int fd, const std::vector<request_handle>& handles, const signal_watch& signals) {
  try {
    signals.wait_for(fd);
  } catch (const interrupted&) {
    for (const auto& x : handles)
      x.cancel();
    throw;
  }
}

} // namespace

int checked_descriptor(int fd) {
  if (fd < 0)
    throw command_error{exit_run_time_failure, "no file descriptor left: " + std::generic_category().message(errno)};
  return fd;
}

signal_watch::signal_watch() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&watched, signal);
  fd_ = checked_descriptor(signalfd(-1, &watched, SFD_CLOEXEC));
  pthread_sigmask(SIG_BLOCK, &watched, &before_);
}

signal_watch::~signal_watch() {
  // A signal that came after the last wait takes its default action here.
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  close(fd_);
}

bool signal_watch::wait_for(int fd, clock::time_point until) const {
  pollfd waits[] = {{fd_, POLLIN, 0}, {fd, POLLIN, 0}};
  for (;;) {
    int milliseconds = -1;
    if (until != clock::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
      milliseconds = static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
    }
    const int ready = poll(waits, std::size(waits), milliseconds);
    if (ready == 0)
      return false;
    if (ready > 0)
      break;
    if (errno != EINTR)
      throw command_error{exit_run_time_failure, "poll: " + std::generic_category().message(errno)};
  }
  if (waits[0].revents == 0)
    return true;
  signalfd_siginfo info{};
  if (read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    throw interrupted{static_cast<int>(info.ssi_signo)};
  return true;
}

reply run(engine& on, request asked, const signal_watch& signals) {
  auto box = std::make_shared<mailbox>();
  const std::vector handles{on.run_async(std::move(asked), [box](reply x) { box->put(std::move(x)); })};
  wait_or_cancel(box->fd, handles, signals);
  return box->take();
}

std::vector<reply> run_all(engine& on, std::vector<request> all, const signal_watch& signals) {
  std::vector<std::shared_ptr<mailbox>> boxes;
  std::vector<request_handle> handles;
  for (auto& asked : all) {
    boxes.push_back(std::make_shared<mailbox>());
    handles.push_back(on.run_async(std::move(asked), [box = boxes.back()](reply x) { box->put(std::move(x)); }));
  }
  std::vector<reply> replies;
  for (const auto& box : boxes) {
    wait_or_cancel(box->fd, handles, signals);
    replies.push_back(box->take());
  }
  return replies;
}

std::unique_ptr<engine> make_engine(options how) {
  auto made = engine::create(std::move(how));
  if (!made)
    bad_input(made.error().message);
  return std::move(*made);
}

} // namespace sheaf::app
