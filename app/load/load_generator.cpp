// SPDX-License-Identifier: BSD-3-Clause

#include "app/load/load_generator.hpp"

#include "app/scenario/request_maker.hpp"
#include "app/scenario/runner.hpp"
#include "app/scenario/step_cursor.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sheaf::app {

namespace {

/// A client whose iterations fail at once, one after the other, pauses before the next: not after the first failure,
/// then twice as long each time. A server that is not there is asked often enough to see it come back.
constexpr clock::duration first_pause = std::chrono::milliseconds{1}, last_pause = std::chrono::seconds{1};

clock::duration pause_after(std::size_t failures) {
  return failures < 2
             ? clock::duration{0}
             : std::min<clock::duration>(first_pause * (1u << std::min<std::size_t>(failures - 2, 20)), last_pause);
}

} // namespace

// -- a client

/// Runs one iteration after another. On its lane's loop.
class load_generator::client {
public:
  client(load_generator& of, lane& on, boost::asio::io_context& loop, scenario_client who)
    : of_(of), lane_(on), who_(std::move(who)), pause_(loop) {}

  /// Begins the steps. The first one's latency counts from `due`. `number` is the iteration's under a rate.
  void begin(clock::time_point due, std::size_t number);
  void cancel();

  /// The next iteration, now or after a pause.
  void go_again();
  void end_pause() { pause_.cancel(); }

  clock::time_point due() const noexcept { return due_; }
  std::size_t number() const noexcept { return number_; }
  bool in_turn() const noexcept { return in_turn_; }

private:
  struct sent_request {
    const request_step* how = nullptr;
    std::vector<std::size_t> from;
    clock::time_point since;
    request_handle handle{};
  };

  void go_on(clock::time_point since);
  void send(sent_request& x);
  void take(sent_request& x, const reply& got);

  load_generator& of_;
  lane& lane_;
  scenario_client who_;
  std::optional<step_cursor> steps_;
  std::vector<sent_request> sent_; ///< The requests of the present step.
  std::size_t unanswered_ = 0;
  clock::time_point due_;
  std::size_t number_ = 0;
  bool in_turn_ = true;                             ///< The queries of this iteration's requests run one by one.
  bool failed_at_once_ = false, succeeded_ = false; ///< A request of this iteration.
  std::size_t failures_ = 0;                        ///< Iterations in a row in which all requests failed at once.
  boost::asio::steady_timer pause_;
  std::shared_ptr<char> alive_ = std::make_shared<char>(); ///< For the timer, which may have gone off at the end.
};

/// The clients of one event loop, and what they count.
class load_generator::lane {
public:
  lane(load_generator& of, boost::asio::io_context& loop, std::size_t index, std::size_t lanes)
    : of_(of), loop_(loop), timer_(std::in_place, loop), record_(of.plan_.file), record_in_turn_(of.plan_.file),
      index_(index), lanes_(lanes) {}

  void start();
  void hold() { held_ = true; } ///< Begins nothing under a rate until `measure`.
  void measure(std::size_t first, std::size_t behind_last);
  void begin_what_is_due();
  void stop();
  void cancel();
  void end() { timer_.reset(), clients_.clear(); } ///< Called on the loop, which must not be left a timer.
  void merge_into(load_record& all) const { all.merge(record_); }
  void merge_in_turn_into(load_record& all) const { all.merge(record_in_turn_); }
  recent take_recent() { return std::exchange(recent_, {}); }

  void on_answer(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
                 const std::vector<checked_expectation>& checked, std::chrono::nanoseconds latency,
                 const client& whose);
  void on_end(client& x);
  void begin(client& x, clock::time_point due, std::size_t number = 0);

private:
  bool counts(std::size_t iteration) const noexcept { return iteration >= first_counted_ && iteration < behind_last_; }

  load_generator& of_;
  boost::asio::io_context& loop_;
  std::optional<boost::asio::steady_timer> timer_;
  load_record record_, record_in_turn_;
  recent recent_;
  const std::size_t index_, lanes_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<client*> free_;
  clock::time_point measured_since_ = clock::time_point::max();
  std::size_t next_ = 0; ///< Iteration, under a rate: this lane takes every `lanes_`th.
  std::size_t first_counted_ = std::numeric_limits<std::size_t>::max(); ///< Iterations that count, under a rate.
  std::size_t behind_last_ = std::numeric_limits<std::size_t>::max();
  bool timer_is_set_ = false, held_ = false;
};

void load_generator::client::begin(clock::time_point due, std::size_t number) {
  due_ = due;
  number_ = number;
  failed_at_once_ = succeeded_ = false;
  in_turn_ = of_.plan_.both_ways && !in_turn_;
  steps_.emplace(of_.plan_.scenario.steps);
  go_on(due);
}

void load_generator::client::go_on(clock::time_point since) {
  const auto* step = of_.is_over() ? nullptr : steps_->next();
  if (!step) {
    failures_ = failed_at_once_ && !succeeded_ ? failures_ + 1 : 0;
    lane_.on_end(*this);
    return;
  }
  try {
    sent_.clear();
    if (const auto* all = std::get_if<parallel_step>(&step->kind))
      for (const auto& one : all->steps)
        sent_.push_back({.how = &std::get<request_step>(one.kind), .from = {}, .since = since});
    else
      sent_.push_back({.how = &std::get<request_step>(step->kind), .from = {}, .since = since});
    unanswered_ = 0;
    for (auto& x : sent_)
      send(x);
  } catch (...) { // a value cannot be made: that ends the command
    of_.fail(std::current_exception());
    if (unanswered_ == 0)
      lane_.on_end(*this);
  }
}

void load_generator::client::send(sent_request& x) {
  auto made = who_.make(*x.how);
  x.from = origins(*of_.plan_.file.find_request(x.how->request), made.queries);
  if (in_turn_)
    made.width = 1;
  ++unanswered_;
  x.handle = of_.engine_.run_async(std::move(made), [this, &x](const reply& got) { take(x, got); });
}

void load_generator::client::take(sent_request& x, const reply& got) {
  const auto& all = of_.plan_.file.requests;
  const auto position = static_cast<std::size_t>(of_.plan_.file.find_request(x.how->request) - all.data());
  const auto latency = clock::now() - x.since;
  (got.failure && !is_out_of_time(got.failure->code) ? failed_at_once_ : succeeded_) = true;
  lane_.on_answer(position, x.from, got, who_.judge(*x.how, got), latency, *this);
  if (--unanswered_ == 0)
    go_on(clock::now());
}

void load_generator::client::cancel() {
  if (unanswered_ > 0)
    for (const auto& x : sent_)
      x.handle.cancel();
}

void load_generator::client::go_again() {
  const auto pause = pause_after(failures_);
  if (pause == clock::duration{0}) {
    lane_.begin(*this, clock::now());
    return;
  }
  pause_.expires_after(pause);
  pause_.async_wait([this, alive = std::weak_ptr<char>{alive_}](const boost::system::error_code& cancelled) {
    if (!cancelled && !alive.expired() && !of_.is_over())
      lane_.begin(*this, clock::now());
  });
}

// -- a lane

void load_generator::lane::start() {
  next_ = index_;
  const auto& plan = of_.plan_;
  for (std::size_t i = index_; i < plan.clients; i += lanes_) {
    generator random{plan.seed, static_cast<std::int64_t>(i), static_cast<std::int64_t>(plan.clients)};
    clients_.push_back(std::make_unique<client>(of_, *this, loop_, scenario_client{plan.file, plan.given, random}));
  }
  for (const auto& x : clients_)
    if (plan.rate)
      free_.push_back(x.get());
    else
      begin(*x, clock::now());
  if (plan.rate)
    begin_what_is_due();
}

void load_generator::lane::begin(client& x, clock::time_point due, std::size_t number) {
  ++of_.busy_;
  x.begin(due, number);
}

/// Under a rate: clients that are free begin the iterations that are due; the rest wait until one is free.
void load_generator::lane::begin_what_is_due() {
  if (!of_.plan_.rate || held_)
    return;
  while (!of_.is_over() && !free_.empty() && next_ < behind_last_ && of_.due(next_) <= clock::now()) {
    auto& x = *free_.back();
    free_.pop_back();
    const auto number = std::exchange(next_, next_ + lanes_); // first: an iteration may end within `begin`
    begin(x, of_.due(number), number);
  }
  if (of_.is_over() || free_.empty() || next_ >= behind_last_ || timer_is_set_)
    return;
  timer_is_set_ = true;
  timer_->expires_at(of_.due(next_));
  timer_->async_wait([this](const boost::system::error_code& cancelled) {
    timer_is_set_ = false;
    if (!cancelled)
      begin_what_is_due();
  });
}

void load_generator::lane::on_end(client& x) {
  if (of_.plan_.rate) {
    free_.push_back(&x);
    begin_what_is_due();
  } else if (!of_.is_over()) {
    x.go_again();
  }
  of_.one_less_busy();
}

void load_generator::lane::on_answer(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
                                     const std::vector<checked_expectation>& checked, std::chrono::nanoseconds latency,
                                     const client& whose) {
  if (got.ok() || is_out_of_time(got.failure->code))
    recent_.latency.add(latency);
  recent_.errors += !got.ok();
  if (of_.plan_.rate ? !counts(whose.number()) : whose.due() < measured_since_)
    return;
  auto& record = whose.in_turn() ? record_in_turn_ : record_;
  record.add(position, from, got, latency, !of_.stopped_);
  record.add(checked);
}

void load_generator::lane::measure(std::size_t first, std::size_t behind_last) {
  record_ = record_in_turn_ = load_record{of_.plan_.file};
  measured_since_ = clock::now();
  first_counted_ = first;
  behind_last_ = behind_last;
  held_ = false;
  if (of_.began_)
    begin_what_is_due();
}

void load_generator::lane::stop() {
  if (of_.plan_.rate)
    for (const auto now = clock::now(); next_ < behind_last_ && of_.due(next_) <= now; next_ += lanes_)
      record_.not_begun += counts(next_);
  timer_->cancel();
  for (const auto& x : clients_)
    x->end_pause();
}

void load_generator::lane::cancel() {
  for (const auto& x : clients_)
    x->cancel();
}

// -- all of them

template <class F>
void load_generator::on_each_lane(F f) {
  engine_.run_on_each_loop([&, i = std::size_t{0}](boost::asio::io_context&) mutable { f(*lanes_[i++]); });
}

load_generator::load_generator(engine& on, load_plan plan)
  : engine_(on), plan_(plan), idle_fd_(checked_descriptor(eventfd(0, EFD_CLOEXEC))) {
  std::vector<boost::asio::io_context*> loops;
  engine_.run_on_each_loop([&](boost::asio::io_context& x) { loops.push_back(&x); });
  for (auto* loop : loops)
    lanes_.push_back(std::make_unique<lane>(*this, *loop, lanes_.size(), loops.size()));
}

load_generator::~load_generator() {
  if (busy_ > 0) {
    stop();
    cancel();
    pollfd idle{idle_fd_, POLLIN, 0};
    while (poll(&idle, 1, -1) < 0 && errno == EINTR) {
    }
  }
  on_each_lane([](lane& x) { x.end(); });
  close(idle_fd_);
}

/// The time of an iteration under a rate. None is due later than ten years from now, however low the rate is.
clock::time_point load_generator::due(std::size_t iteration) const noexcept {
  constexpr double latest = 10.0 * 365 * 24 * 3600;
  const auto seconds = std::min(static_cast<double>(iteration) / *plan_.rate, latest);
  return *began_ + std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
}

void load_generator::start() {
  busy_ = 1;
  began_ = clock::now();
  on_each_lane([](lane& x) { x.start(); });
}

clock::time_point load_generator::measure(std::chrono::nanoseconds length) {
  if (!plan_.rate) {
    on_each_lane([](lane& x) { x.measure(0, 0); });
    return clock::now() + length;
  }
  if (began_)
    on_each_lane([](lane& x) { x.hold(); }); // what was begun before was due before
  const auto now = clock::now();
  const auto iterations = [&](clock::duration x) { return std::chrono::duration<double>(x).count() * *plan_.rate; };
  const double all = iterations(length);
  const double before = began_ ? std::floor(iterations(now - *began_)) + 1 : 0;
  // Where a whole number of them fits into the time it is that number, whatever the rounding.
  const bool is_whole = all > 0.5 && std::abs(all - std::round(all)) < 1e-6;
  const double count = is_whole ? std::round(all)
                       : began_ ? std::floor(iterations(now - *began_) + all) + 1 - before
                                : std::ceil(all);
  const auto first = static_cast<std::size_t>(before);
  on_each_lane([&](lane& x) { x.measure(first, first + static_cast<std::size_t>(count)); });
  return now + length;
}

void load_generator::stop() {
  if (!stopped_ && began_)
    on_each_lane([](lane& x) { x.begin_what_is_due(); }); // what is due at the last moment is not late
  if (stopped_.exchange(true))
    return;
  on_each_lane([](lane& x) { x.stop(); }); // behind this nobody begins
  one_less_busy();
}

void load_generator::cancel() {
  on_each_lane([](lane& x) { x.cancel(); });
}

void load_generator::one_less_busy() noexcept {
  if (--busy_ == 0)
    eventfd_write(idle_fd_, 1);
}

void load_generator::fail(std::exception_ptr why) noexcept {
  const std::lock_guard guard{mutex_};
  if (!failed_)
    failed_ = std::move(why);
  has_failed_ = true;
}

void load_generator::check() const {
  const std::lock_guard guard{mutex_};
  if (failed_)
    std::rethrow_exception(failed_);
}

load_record load_generator::record() {
  load_record all{plan_.file};
  on_each_lane([&](lane& x) { x.merge_into(all); });
  return all;
}

load_record load_generator::record_in_turn() {
  load_record all{plan_.file};
  on_each_lane([&](lane& x) { x.merge_in_turn_into(all); });
  return all;
}

load_generator::recent load_generator::take_recent() {
  recent all;
  on_each_lane([&](lane& x) {
    const auto one = x.take_recent();
    all.latency.merge(one.latency);
    all.errors += one.errors;
  });
  return all;
}

} // namespace sheaf::app
