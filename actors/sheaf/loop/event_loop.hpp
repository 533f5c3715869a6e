// SPDX-License-Identifier: BSD-3-Clause
//
// One thread for sockets, timers and the actors that live on it (loop_actor.hpp): an event loop over epoll, with an
// asio::io_context inside for users who want one.

#pragma once

#include "sheaf/clock.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/intrusive/set.hpp>

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace sheaf {

/// A moment at which `expire` is called on the loop. Owned by its user; destroying it disarms it. Loop thread only.
class timer : public boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  explicit timer(std::function<void()> expire) : expire_(std::move(expire)) {}

  void disarm() noexcept {
    if (is_linked())
      unlink();
  }
  bool armed() const noexcept { return is_linked(); }

  friend bool operator<(const timer& a, const timer& b) noexcept { return a.when_ < b.when_; }

private:
  friend class event_loop;
  std::function<void()> expire_;
  clock::time_point when_{};
};

/// Is told when a watched descriptor can be read or written, or has failed (which reads as both).
class io_handler {
public:
  virtual void on_io(bool readable, bool writable) = 0;

  /// `on_io` threw this, and its descriptor is still watched: it would throw again.
  virtual void on_thrown(const std::exception_ptr&) {}

  std::uint32_t place = 0; ///< The loop's own: among its watches, from 1; 0 when it watches nothing.

protected:
  ~io_handler() = default;
};

/// Held by shared_ptr: a thread that may post to it after the engine is gone (one that is stuck in a database) shares
/// it.
class event_loop final : public std::enable_shared_from_this<event_loop> {
public:
  /// `owner` is a mark for whoever asks on a loop whose it is.
  explicit event_loop(const void* owner = nullptr);
  ~event_loop();

  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Has `f` hear of what functions, timers, handlers and Asio's handlers throw: what they were about is over, and the
  /// loop goes on. On the loop; it must not throw. Before `start`.
  void when_thrown(std::function<void(const std::exception_ptr&)> f) { when_thrown_ = std::move(f); }

  void start(); ///< Starts the thread.
  void stop();  ///< Ends and joins it; functions still queued are dropped. Not from the loop itself.

  /// In a child process, where the thread is not: closes the descriptors that it watches, and its own. Nothing else of
  /// it may be used there, but for `post`.
  void abandon() noexcept;

  /// The loop that runs on the calling thread, or null.
  static event_loop* current() noexcept;
  const void* owner() const noexcept { return owner_; }
  bool runs_here() const noexcept { return current() == this; }

  /// Queues a function. Any thread; takes no lock when the loop's own calls it. After `stop`, and in a child
  /// process, it is dropped.
  void post(std::function<void()> f);

  /// Counts the actors that live here. Any thread.
  void actor_began() noexcept { actors_.fetch_add(1, std::memory_order_relaxed); }
  void actor_ended() noexcept;

  // The rest is for the loop's own thread.

  /// The time as of this turn or of the last `refresh_now`: one clock read serves all that happened together.
  clock::time_point now() const noexcept { return now_; }
  clock::time_point refresh_now() noexcept { return now_ = read_clock(); }

  /// For tests: from now on time stands still here, but for what `pass_time` adds to it.
  void hold_time() noexcept { held_ = refresh_now(); }
  void pass_time(clock::duration by) noexcept { now_ = *held_ += by; }

  /// Watches a descriptor for reading until `unwatch`, one for each handler. It stays armed: no system call per wait.
  /// False, and nothing is watched, when the kernel refuses: it has been closed, or there is no memory.
  [[nodiscard]] bool watch(int descriptor, io_handler& handler);
  /// Begins (`on`) or ends watching it for writing, too. False when the kernel refuses, as above.
  [[nodiscard]] bool watch_writes(int descriptor, io_handler& handler, bool on) noexcept;
  /// After this, `handler` is not called any more, not even for events that have been read already, and though the
  /// descriptor has been closed before: a copy that a child process has inherited keeps it in the kernel's set.
  void unwatch(int descriptor, io_handler& handler) noexcept;

  /// Sets a timer (anew).
  void arm(timer& t, clock::time_point when);

  /// Calls `f` once no actor lives here any more.
  void when_deserted(std::function<void()> f);

  /// Asio's context, run by this thread. Made on first use, so an engine that does no I/O through Asio does not pay for
  /// it.
  boost::asio::io_context& context();

private:
  struct asio_side; // the io_context, and its view of our epoll descriptor

  template <class F>
  void guard(F f) noexcept;
  void run();
  void run_ready();
  void take_inbox();
  void fire_timers();
  void wait_for_events();
  void run_asio(int timeout_milliseconds);
  void watch_through_asio();
  void dispatch(int count);
  epoll_event event_for(const io_handler& handler, std::uint32_t events) const noexcept;
  bool fall_asleep();
  clock::time_point read_clock() const noexcept { return held_ ? *held_ : clock::now(); }
  int milliseconds_to_next_timer() const;
  void wake_if_asleep(bool asleep);

  // Loop thread only.
  std::deque<std::function<void()>> ready_;
  boost::intrusive::multiset<timer, boost::intrusive::constant_time_size<false>> timers_;
  std::array<epoll_event, 64> events_;

  /// The kernel's set names a watch by its place and its generation, never by its handler, which may be gone.
  struct watch_entry {
    io_handler* handler = nullptr;
    std::uint32_t generation = 0;
  };
  std::vector<watch_entry> watches_;
  std::vector<std::uint32_t> free_places_; ///< From 1.
  clock::time_point now_ = clock::now();
  std::optional<clock::time_point> held_; ///< The time that it is while it stands still.
  std::unique_ptr<asio_side> asio_;
  std::function<void()> when_deserted_;
  std::function<void(const std::exception_ptr&)> when_thrown_;

  const void* const owner_;
  const unsigned born_; ///< As `forks` counts.
  int epoll_;
  int wake_; ///< An eventfd: written when a sleeping loop gets mail.
  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  // Any thread.
  std::mutex inbox_mutex_;
  std::vector<std::function<void()>> inbox_;
  bool asleep_ = false; ///< Guarded by `inbox_mutex_`: about to block, or blocked.
  std::atomic<bool> has_mail_ = false;
  std::atomic<std::size_t> actors_ = 0;
};

} // namespace sheaf
