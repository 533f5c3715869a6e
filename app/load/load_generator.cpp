// SPDX-License-Identifier: BSD-3-Clause

#include "app/load/load_generator.hpp"

#include "app/scenario/request_maker.hpp"
#include "app/scenario/runner.hpp"
#include "app/scenario/step_cursor.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sheaf::app {

// -- a client

/// Runs one iteration after another. On its lane's loop.
class load_generator::client {
public:
  client(load_generator& of, lane& on, scenario_client who) : of_(of), lane_(on), who_(std::move(who)) {}

  /// Begins the steps. The first one's latency counts from `due`.
  void begin(clock::time_point due);
  void cancel();

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
};

/// The clients of one event loop, and what they count.
class load_generator::lane {
public:
  lane(load_generator& of, boost::asio::io_context& loop, std::size_t index, std::size_t lanes)
    : of_(of), timer_(std::in_place, loop), record_(of.plan_.file), index_(index), lanes_(lanes) {}

  void start();
  void measure();
  void stop();
  void cancel();
  void end() { timer_.reset(); } ///< Called on the loop, which must not be left a timer.
  void merge_into(load_record& all) const { all.merge(record_); }
  recent take_recent() { return std::exchange(recent_, {}); }

  void on_answer(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
                 const std::vector<checked_expectation>& checked, clock::time_point since);
  void on_end(client& x);

private:
  clock::time_point due(std::size_t iteration) const {
    return began_ +
           std::chrono::nanoseconds{static_cast<std::int64_t>(static_cast<double>(iteration) / *of_.plan_.rate * 1e9)};
  }
  void begin(client& x, clock::time_point due);
  void begin_what_is_due();

  load_generator& of_;
  std::optional<boost::asio::steady_timer> timer_;
  load_record record_;
  recent recent_;
  const std::size_t index_, lanes_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<client*> free_;
  clock::time_point began_, measured_since_ = clock::time_point::max();
  std::size_t next_ = 0; ///< Iteration, under a rate: this lane takes every `lanes_`th.
  bool timer_is_set_ = false;
};

void load_generator::client::begin(clock::time_point due) {
  steps_.emplace(of_.plan_.scenario.steps);
  go_on(due);
}

void load_generator::client::go_on(clock::time_point since) {
  const auto* step = of_.is_over() ? nullptr : steps_->next();
  if (!step) {
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
  ++unanswered_;
  x.handle = of_.engine_.run_async(std::move(made), [this, &x](const reply& got) { take(x, got); });
}

void load_generator::client::take(sent_request& x, const reply& got) {
  const auto& all = of_.plan_.file.requests;
  const auto position = static_cast<std::size_t>(of_.plan_.file.find_request(x.how->request) - all.data());
  lane_.on_answer(position, x.from, got, who_.judge(*x.how, got), x.since);
  if (--unanswered_ == 0)
    go_on(clock::now());
}

void load_generator::client::cancel() {
  if (unanswered_ > 0)
    for (const auto& x : sent_)
      x.handle.cancel();
}

// -- a lane

void load_generator::lane::start() {
  began_ = clock::now();
  next_ = index_;
  const auto& plan = of_.plan_;
  for (std::size_t i = index_; i < plan.clients; i += lanes_) {
    generator random{plan.seed, static_cast<std::int64_t>(i), static_cast<std::int64_t>(plan.clients)};
    clients_.push_back(std::make_unique<client>(of_, *this, scenario_client{plan.file, plan.given, random}));
  }
  for (const auto& x : clients_)
    if (plan.rate)
      free_.push_back(x.get());
    else
      begin(*x, began_);
  if (plan.rate)
    begin_what_is_due();
}

void load_generator::lane::begin(client& x, clock::time_point due) {
  ++of_.busy_;
  x.begin(due);
}

/// Under a rate: clients that are free begin the iterations that are due; the rest wait until one is free.
void load_generator::lane::begin_what_is_due() {
  for (; !of_.is_over() && !free_.empty() && due(next_) <= clock::now(); next_ += lanes_) {
    auto& x = *free_.back();
    free_.pop_back();
    begin(x, due(next_));
  }
  if (of_.is_over() || free_.empty() || timer_is_set_)
    return;
  timer_is_set_ = true;
  timer_->expires_at(due(next_));
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
    begin(x, clock::now());
  }
  of_.one_less_busy();
}

void load_generator::lane::on_answer(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
                                     const std::vector<checked_expectation>& checked, clock::time_point since) {
  const auto latency = clock::now() - since;
  recent_.latency.add(latency);
  recent_.errors += !got.ok();
  if (since < measured_since_)
    return;
  record_.add(position, from, got, latency, !of_.stopped_);
  record_.add(checked);
}

void load_generator::lane::measure() {
  record_ = load_record{of_.plan_.file};
  measured_since_ = clock::now();
}

void load_generator::lane::stop() {
  if (of_.plan_.rate)
    for (const auto now = clock::now(); due(next_) <= now; next_ += lanes_)
      record_.not_begun += due(next_) >= measured_since_;
  timer_->cancel();
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

void load_generator::start() {
  busy_ = 1;
  on_each_lane([](lane& x) { x.start(); });
}

void load_generator::measure() {
  on_each_lane([](lane& x) { x.measure(); });
}

void load_generator::stop() {
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
