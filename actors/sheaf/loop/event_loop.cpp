// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/loop/event_loop.hpp"

#include "sheaf/base/inherited.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace sheaf {

namespace {

thread_local event_loop* current_loop = nullptr;

/// Rounds in which queued functions may queue more before the sockets have their turn.
constexpr int rounds_per_turn = 4;

/// Asio's handlers that run before queued functions have their turn.
constexpr int handlers_per_turn = 64;

[[noreturn]] void throw_errno(const char* where) { throw std::system_error(errno, std::generic_category(), where); }

} // namespace

/// Asio owns its own epoll set, and each `async_wait` on a descriptor costs an `epoll_ctl`. So the loop's descriptors
/// stay in a set of ours, and Asio watches that set: one `epoll_ctl` per look at it, however many sockets (measured:
/// docs/performance.md). Then all that happens comes by way of Asio.
struct event_loop::asio_side {
  explicit asio_side(int epoll) : work(context.get_executor()), sockets(context, ::dup(epoll)) {}

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  boost::asio::posix::stream_descriptor sockets;
};

event_loop::event_loop(const void* owner)
  : owner_(owner), born_(forks()), epoll_(::epoll_create1(EPOLL_CLOEXEC)),
    wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (epoll_ < 0 || wake_ < 0)
    throw_errno("event_loop");
  epoll_event e{.events = EPOLLIN, .data = {.u64 = 0}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &e) != 0)
    throw_errno("event_loop");
  inherited::note(this, epoll_);
  inherited::note(this, wake_);
}

event_loop::~event_loop() {
  stop();
  inherited::forget(this);
  ::close(wake_);
  ::close(epoll_);
}

event_loop* event_loop::current() noexcept {
  const bool is_inherited = current_loop && current_loop->born_ != forks(); // this thread has forked on that loop
  return is_inherited ? nullptr : current_loop;
}

void event_loop::abandon() noexcept { inherited::close_all(this); }

void event_loop::start() {
  thread_ = std::thread{[this] { run(); }};
}

void event_loop::stop() {
  if (!thread_.joinable())
    return;
  post([this] { stopping_ = true; });
  thread_.join();
  take_inbox();
  ready_.clear();
}

void event_loop::post(std::function<void()> f) {
  if (runs_here()) {
    ready_.push_back(std::move(f));
    return;
  }
  if (born_ != forks())
    return; // whoever held the lock, when the parent forked, is not here to let it go
  std::unique_lock guard{inbox_mutex_};
  inbox_.push_back(std::move(f));
  has_mail_.store(true, std::memory_order_release);
  const bool asleep = std::exchange(asleep_, false);
  guard.unlock();
  wake_if_asleep(asleep);
}

void event_loop::wake_if_asleep(bool asleep) {
  if (!asleep)
    return; // the loop looks at its inbox before it sleeps
  const std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(wake_, &one, sizeof one); // fails only when it is awake anyway
}

epoll_event event_loop::event_for(const io_handler& handler, std::uint32_t events) const noexcept {
  const std::uint64_t generation = watches_[handler.place - 1].generation;
  return {.events = events, .data = {.u64 = generation << 32 | handler.place}};
}

bool event_loop::watch(int descriptor, io_handler& handler) {
  inherited::note(this, descriptor);
  if (free_places_.empty()) {
    watches_.emplace_back();
    free_places_.reserve(watches_.size()); // `unwatch` cannot fail
    free_places_.push_back(static_cast<std::uint32_t>(watches_.size()));
  }
  handler.place = free_places_.back();
  auto e = event_for(handler, EPOLLIN);
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &e) != 0) {
    handler.place = 0;
    return false;
  }
  free_places_.pop_back();
  watches_[handler.place - 1].handler = &handler;
  return true;
}

bool event_loop::watch_writes(int descriptor, io_handler& handler, bool on) noexcept {
  auto e = event_for(handler, EPOLLIN | (on ? EPOLLOUT : 0u));
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &e) == 0;
}

void event_loop::unwatch(int descriptor, io_handler& handler) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  if (const auto place = std::exchange(handler.place, 0)) {
    watches_[place - 1] = {.handler = nullptr, .generation = watches_[place - 1].generation + 1};
    free_places_.push_back(place);
  }
}

void event_loop::arm(timer& t, clock::time_point when) {
  t.disarm();
  t.when_ = when;
  timers_.insert(t);
}

void event_loop::actor_ended() noexcept {
  if (actors_.fetch_sub(1, std::memory_order_relaxed) == 1 && when_deserted_)
    std::exchange(when_deserted_, nullptr)();
}

void event_loop::when_deserted(std::function<void()> f) {
  if (actors_.load(std::memory_order_relaxed) == 0)
    f();
  else
    when_deserted_ = std::move(f);
}

boost::asio::io_context& event_loop::context() {
  if (!asio_) {
    asio_ = std::make_unique<asio_side>(epoll_);
    watch_through_asio();
  }
  return asio_->context;
}

/// Whatever throws has been taken out of its queue before, so it is not met again; the others have the next turn.
template <class F>
void event_loop::guard(F f) noexcept {
  try {
    f();
  } catch (...) { // one user's fault must not end the process that all share
    if (when_thrown_)
      when_thrown_(std::current_exception());
  }
}

void event_loop::run() {
  current_loop = this;
  while (!stopping_)
    guard([this] {
      run_ready();
      fire_timers();
      wait_for_events();
    });
  asio_.reset(); // its handlers belong to this thread
  current_loop = nullptr;
}

/// Runs what is queued, and what this queues in turn, but not for ever: the sockets want their turn.
void event_loop::run_ready() {
  if (has_mail_.load(std::memory_order_acquire))
    take_inbox();
  for (int round = 0; round < rounds_per_turn && !ready_.empty(); ++round) {
    for (auto n = ready_.size(); n > 0; --n) {
      const auto f = std::move(ready_.front());
      ready_.pop_front();
      f();
    }
  }
}

void event_loop::take_inbox() {
  std::lock_guard guard{inbox_mutex_};
  has_mail_.store(false, std::memory_order_relaxed);
  refresh_now(); // or what comes from other threads would come from the future
  std::move(inbox_.begin(), inbox_.end(), std::back_inserter(ready_));
  inbox_.clear();
}

/// Those that are due now. One that comes due meanwhile waits for the next turn, or timers that are armed anew and take
/// longer than they are armed for would leave the sockets none.
void event_loop::fire_timers() {
  const auto until = now_;
  while (!timers_.empty() && timers_.begin()->when_ <= until) {
    auto& t = *timers_.begin();
    t.unlink();
    t.expire_(); // may destroy t
  }
}

/// True when there is nothing to do but to wait. From then on, a thread that fills the inbox writes to `wake_`.
bool event_loop::fall_asleep() {
  if (!ready_.empty() || stopping_)
    return false;
  std::lock_guard guard{inbox_mutex_};
  asleep_ = inbox_.empty();
  return asleep_;
}

int event_loop::milliseconds_to_next_timer() const {
  if (timers_.empty())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->when_ - read_clock()).count();
  if (held_ && left > 0)
    return -1; // it does not come nearer by itself
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

void event_loop::wait_for_events() {
  const bool sleep = fall_asleep();
  const int timeout = sleep ? milliseconds_to_next_timer() : 0;
  int count = 0;
  if (asio_)
    guard([&] { run_asio(timeout); });
  else
    count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout);
  if (sleep) {
    std::lock_guard guard{inbox_mutex_};
    asleep_ = false;
  }
  refresh_now();
  dispatch(count);
}

/// One handler, or none in time. The next one, when it is there already, costs the next turn no system call: Asio looks
/// at its sockets only after the handlers that it knows. But when the loop has more to do, many of them have their
/// turn: not all, as handlers that make others ready would keep the turn for ever.
void event_loop::run_asio(int timeout_milliseconds) {
  auto& context = asio_->context;
  if (timeout_milliseconds == 0)
    for (int n = 0; n < handlers_per_turn && context.poll_one() > 0; ++n) {
    }
  else if (timeout_milliseconds < 0)
    context.run_one();
  else
    context.run_one_for(std::chrono::milliseconds{timeout_milliseconds});
}

/// Has Asio say when something in our own set is ready, time and again.
void event_loop::watch_through_asio() {
  asio_->sockets.async_wait(asio_->sockets.wait_read, [this](auto) {
    guard([this] { // or nobody would look at the sockets again
      const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 0);
      refresh_now();
      dispatch(count);
    });
    watch_through_asio();
  });
}

void event_loop::dispatch(int count) {
  for (int i = 0; i < count; ++i) {
    const auto& e = events_[static_cast<std::size_t>(i)];
    const auto place = static_cast<std::uint32_t>(e.data.u64);
    if (place == 0) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] auto read = ::read(wake_, &ignored, sizeof ignored);
      continue;
    }
    const auto is_watched = [&] { // nothing has been unwatched meanwhile
      return watches_[place - 1].handler && watches_[place - 1].generation == e.data.u64 >> 32;
    };
    if (!is_watched())
      continue;
    const bool failed = (e.events & (EPOLLERR | EPOLLHUP)) != 0;
    try {
      watches_[place - 1].handler->on_io(failed || (e.events & EPOLLIN) != 0, failed || (e.events & EPOLLOUT) != 0);
    } catch (...) { // told further by `guard`, once its handler has heard
      if (is_watched())
        watches_[place - 1].handler->on_thrown(std::current_exception());
      throw;
    }
  }
}

} // namespace sheaf
