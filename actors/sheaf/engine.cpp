// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/engine.hpp"

#include "sheaf/base/background.hpp"
#include "sheaf/core/engine_core.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/metrics_text.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>

namespace sheaf {

namespace {

/// One thread in CAF's scheduler is enough for a system of our own: the engine's actors live on its loops.
caf::actor_system_config& small(caf::actor_system_config& config) {
  config.set("scheduler.max-threads", 1);
  return config;
}

/// Keeps what a child process has no threads to end with; a check for leaks finds it here.
void leave(const void* inherited) {
  static auto& all = *new std::deque<const void*>;
  static std::mutex mutex;
  const std::lock_guard guard{mutex};
  all.push_back(inherited);
}

} // namespace

/// The thread that makes an actor system holds on to its logger until it ends or makes another, and `~actor_system`
/// waits for that without limit (CAF 0.17.6). So one is made on a thread that ends at once.
struct engine::own_system {
  caf::actor_system_config config;
  caf::actor_system system{small(config)};

  static std::unique_ptr<own_system> make() {
    return std::async(std::launch::async, [] { return std::make_unique<own_system>(); }).get();
  }
};

engine::engine(std::unique_ptr<own_system> own, std::unique_ptr<engine_core> core)
  : own_system_(std::move(own)), core_(std::move(core)) {}

result<std::unique_ptr<engine>> engine::create(options how) {
  auto own = own_system::make();
  auto core = engine_core::create(std::move(how), own->system);
  if (core.has_error())
    return std::move(core).error();
  return std::unique_ptr<engine>{new engine{std::move(own), std::move(*core)}};
}

result<std::unique_ptr<engine>> engine::create(options how, caf::actor_system& system) {
  auto core = engine_core::create(std::move(how), system);
  if (core.has_error())
    return std::move(core).error();
  return std::unique_ptr<engine>{new engine{nullptr, std::move(*core)}};
}

engine::engine(options how) : engine(std::move(*create(std::move(how)).value())) {}

engine::engine(engine&& from) noexcept = default;

engine& engine::operator=(engine&& from) noexcept {
  if (this != &from) {
    end();
    own_system_ = std::move(from.own_system_);
    core_ = std::move(from.core_);
  }
  return *this;
}

engine::~engine() { end(); }

void engine::end() noexcept {
  if (!core_)
    return;
  if (core_->is_inherited()) {
    core_->abandon();
    leave(own_system_.release());
    leave(core_.release());
    return;
  }
  if (event_loop::current() || runs_a_task())
    finish_in_background([system = std::shared_ptr<own_system>{std::move(own_system_)},
                          core = std::shared_ptr<engine_core>{std::move(core_)}]() mutable {
      core.reset();
      system.reset();
    });
  core_.reset();
  own_system_.reset();
}

std::optional<failure> engine::unusable() const {
  if (!core_)
    return invalid_request("this engine was moved from: use the one that it was moved to");
  if (core_->is_inherited())
    return invalid_request("this engine is the parent process's and has no thread here: after fork(), make one of the "
                           "child's own");
  return {};
}

engine_core& engine::core() const {
  if (auto why = unusable())
    throw error(std::move(*why));
  return *core_;
}

reply engine::run(request given) {
  if (auto why = unusable())
    return refusal(std::move(*why));
  return core_->run(std::move(given));
}

request_handle engine::run_async(request given, std::function<void(reply)> callback) {
  auto& to = core();
  if (!callback)
    throw error(invalid_request("run_async has no callback: give one, if only `[](sheaf::reply) {}`"));
  return request_handle{to.submit(std::move(given), std::move(callback))};
}

void request_handle::cancel() const { end_request(link_, cancelled_by_caller()); }

reply_future engine::run_future(request given) {
  auto promise = std::make_shared<std::promise<reply>>();
  auto future = promise->get_future();
  if (auto why = unusable()) {
    promise->set_value(refusal(std::move(*why)));
    return {std::move(future), nullptr, 0};
  }
  auto waits = core_->waits(); // once the request is on its way, this engine may be destroyed by whom it serves
  const auto databases = waits->databases_of(given);
  core_->submit(std::move(given), [promise](reply x) { promise->set_value(std::move(x)); });
  return {std::move(future), std::move(waits), databases};
}

reply reply_future::get() {
  if (!waits_ || is_ready())
    return std::future<reply>::get();
  const blocking_wait wait{*waits_, databases_};
  return wait.refused() ? refusal(*wait.refused()) : std::future<reply>::get();
}

void reply_future::wait() const {
  if (!waits_ || is_ready())
    return;
  const blocking_wait wait{*waits_, databases_};
  if (wait.refused())
    throw error(*wait.refused());
  std::future<reply>::wait();
}

void reply_future::check_loop() const {
  if (!waits_ || is_ready())
    return;
  if (auto why = waits_->refusal_on_a_loop())
    throw error(std::move(*why));
}

void engine::run_on_each_loop(const std::function<void(boost::asio::io_context&)>& f) {
  const auto& loops = core().loops();
  if (!f)
    throw error(invalid_request("run_on_each_loop has no function to call"));
  if (loops.here())
    throw error(invalid_request("run_on_each_loop would block the engine's own loop: call it on another thread"));
  for (const auto& x : loops.each()) {
    // Shared: it is not over on the loop's thread yet when its future is ready on this one.
    auto call = std::make_shared<std::packaged_task<void()>>([&] { f(x->loop->context()); });
    x->loop->post([call] { (*call)(); });
    call->get_future().get();
  }
}

std::vector<statement_stats> engine::statements(std::size_t most) const {
  const auto& loops = core().loops();
  std::vector<statement_stats> all;
  for (std::size_t i = 0; i < loops.settings().databases.size(); ++i) {
    auto some = loops.statements(i, most);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<pool_stats> engine::stats() const {
  const auto& loops = core().loops();
  std::vector<pool_stats> all;
  for (std::size_t i = 0; i < loops.settings().databases.size(); ++i)
    all.push_back(loops.stats(i));
  return all;
}

std::string engine::metrics_text() const { return sheaf::metrics_text(core().loops()); }

} // namespace sheaf
