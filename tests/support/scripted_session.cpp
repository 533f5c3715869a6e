// SPDX-License-Identifier: BSD-3-Clause

#include "support/scripted_session.hpp"

#include "sheaf/backend.hpp"
#include "sheaf/loop/event_loop.hpp"
#include "sheaf/table_builder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::test {

namespace {

class scripted_session;

table one_number(std::int64_t n) {
  table_builder rows{{column{.name = "n"}}};
  rows.add_integer(n);
  return rows.finish(1);
}

} // namespace

/// State that the sessions of one database share. The mutex guards it; nothing of sheaf is called with it held but
/// `post`.
struct scripted_database::stage {
  struct attempt {
    std::shared_ptr<event_loop> loop;
    std::function<void(result<std::unique_ptr<session>>)> done;
  };

  std::mutex mutex;
  counts count;
  std::optional<failure> refusal;
  bool holds_opening = false, holds_cancels = false, ignores_checks = false;
  std::chrono::nanoseconds open_timeout = std::chrono::seconds{10};
  std::deque<attempt> opening;
  std::deque<std::function<void()>> cancels;
  std::vector<scripted_session*> sessions;
  std::vector<scripted_session*> meeting; ///< Those who wait for the others.
  int turns = 0;

  scripted_session& session_of(int id) const;

  void begin_statement() {
    ++count.executed;
    count.most_running = std::max(count.most_running, ++count.running);
  }
};

namespace {

using stage = scripted_database::stage;

class scripted_session final : public session {
public:
  scripted_session(event_loop& loop, std::shared_ptr<stage> where) : loop_(loop), stage_(std::move(where)) {
    std::lock_guard guard{stage_->mutex};
    id_ = ++stage_->count.opened;
    stage_->count.most_open = std::max(stage_->count.most_open, ++stage_->count.open);
    stage_->sessions.push_back(this);
  }

  ~scripted_session() override {
    std::lock_guard guard{stage_->mutex};
    --stage_->count.open;
    std::erase(stage_->sessions, this);
    std::erase(stage_->meeting, this);
    if (run_)
      --stage_->count.running;
  }

  std::size_t room() const noexcept override { return run_ ? 0 : 1; }
  bool usable() const noexcept override { return usable_; }
  void on_broken(std::function<void()> callback) override { on_broken_ = std::move(callback); }
  int id() const noexcept override { return id_; }

  // Called with the mutex held.

  const std::string& query_name() const { return run_->job.query->name; }
  bool holds() const { return waits_for("hold"); }
  bool is_checked() const { return waits_for("select 1"); }

  void answer_later(answer got) {
    loop_.post([this, alive = std::weak_ptr{alive_}, number = run_number_, got = std::move(got)]() mutable {
      if (!alive.expired())
        deliver(number, std::move(got));
    });
  }

  void take_turn_if_due() {
    if (turn_ < 0 || stage_->turns < turn_)
      return;
    turn_ = -1;
    ++stage_->turns;
    answer_later(one_number(id_));
    for (auto* other : stage_->sessions)
      other->take_turn_if_due();
  }

  void spoil(bool cancelled = false) {
    EXPECT_EQ(run_ != nullptr, cancelled) << "not at rest";
    usable_ = false;
  }

  // Called without the mutex.

  void break_now() {
    {
      std::lock_guard guard{stage_->mutex};
      spoil();
    }
    if (const auto callback = on_broken_)
      callback(); // destroys this
  }

private:
  void start(session_run& x) override {
    EXPECT_TRUE(loop_.runs_here());
    std::lock_guard guard{stage_->mutex};
    run_ = &x;
    x.when.sent = loop_.refresh_now();
    stage_->begin_statement();
    perform();
  }

  void stop(session_run& x) override {
    EXPECT_TRUE(loop_.runs_here());
    std::lock_guard guard{stage_->mutex};
    ++stage_->count.cancelled;
    std::erase(stage_->meeting, this);
    turn_ = -1;
    ++run_number_;
    auto posted = [this, &x, loop = loop_.shared_from_this(), alive = std::weak_ptr{alive_}] {
      loop->post([this, &x, alive] {
        if (!alive.expired())
          end(x, {});
      });
    };
    if (stage_->holds_cancels)
      stage_->cancels.push_back(std::move(posted));
    else
      posted();
  }

  void go_on(session_run&) override {}

  bool waits_for(std::string_view script) const {
    return run_ && run_->state == session_run::status::in_line && run_->job.text->text == script;
  }

  /// Called with the mutex held.
  void perform() {
    std::istringstream script{run_->job.text->text};
    std::string verb;
    int n = 0;
    script >> verb >> n;
    if (verb == "answer" || (verb == "select" && !stage_->ignores_checks)) {
      answer_later(one_number(n));
    } else if (verb == "fail") {
      answer_later(failure{
          .code = errc::rejected_sql, .phase = phase::execute, .message = "failed as told", .reached_server = true});
    } else if (verb == "break") {
      usable_ = false;
      answer_later(failure{
          .code = errc::connection_lost, .phase = phase::execute, .message = "broke as told", .reached_server = true});
    } else if (verb == "meet") {
      stage_->meeting.push_back(this);
      if (stage_->meeting.size() == static_cast<std::size_t>(n))
        for (auto* one : std::exchange(stage_->meeting, {}))
          one->answer_later(one_number(one->id_));
    } else if (verb == "turn") {
      turn_ = n;
      take_turn_if_due();
    } else {
      EXPECT_TRUE(verb == "never" || verb == "hold" || verb == "select") << "no such script: " << verb;
    }
  }

  void deliver(int number, answer got) {
    if (number != run_number_)
      return; // cancelled meanwhile
    ++run_number_;
    run_->when.first_row = run_->when.last_row = loop_.refresh_now();
    end(*run_, std::move(got));
  }

  void end(session_run& x, answer got) {
    {
      std::lock_guard guard{stage_->mutex};
      --stage_->count.running;
      run_ = nullptr;
    }
    finish(x, std::move(got));
  }

  event_loop& loop_;
  std::shared_ptr<stage> stage_;
  int id_ = 0;
  session_run* run_ = nullptr; ///< Null while idle. Written with the mutex held.
  int run_number_ = 0;
  bool usable_ = true;
  int turn_ = -1; ///< The turn that it waits for.
  std::function<void()> on_broken_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< Others hold it weakly: gone with the session.
};

/// Called with the mutex held.
void finish_opening(const std::shared_ptr<stage>& where, stage::attempt x, std::optional<failure> refusal) {
  auto& loop = *x.loop;
  loop.post([where, &loop, done = std::move(x.done), refusal = std::move(refusal)] {
    if (refusal)
      done(*refusal);
    else
      done(std::make_unique<scripted_session>(loop, where));
  });
}

class scripted_factory final : public session_factory {
public:
  explicit scripted_factory(std::shared_ptr<stage> where) : stage_(std::move(where)) {}

  void open(event_loop& loop, clock::time_point, std::function<void(result<std::unique_ptr<session>>)> done) override {
    EXPECT_TRUE(loop.runs_here());
    std::lock_guard guard{stage_->mutex};
    stage::attempt x{loop.shared_from_this(), std::move(done)};
    if (stage_->holds_opening)
      stage_->opening.push_back(std::move(x));
    else
      finish_opening(stage_, std::move(x), stage_->refusal);
  }

  std::chrono::nanoseconds open_timeout() const override { return stage_->open_timeout; }
  sheaf::dialect dialect() const noexcept override { return dialect::sqlite; }

private:
  std::shared_ptr<stage> stage_;
};

} // namespace

scripted_session& scripted_database::stage::session_of(int id) const {
  return **std::find_if(sessions.begin(), sessions.end(), [id](auto* s) { return s->id() == id; });
}

class scripted_database::kind final : public sheaf::backend {
public:
  explicit kind(const scripted_database& of) : of_(of) {}

  std::string_view name() const noexcept override { return "scripted"; }
  sheaf::dialect dialect() const noexcept override { return dialect::sqlite; }
  bool infers_types() const noexcept override { return false; }
  bool takes(std::string_view url) const noexcept override { return url.starts_with("scripted:"); }
  std::optional<failure> check(const std::string&) const override { return {}; }
  result<std::unique_ptr<session_factory>> make_factory(const database_options&, blocking_executor&) const override {
    return of_.make_factory();
  }

  // It has no SOCI session.
  std::optional<failure> run(soci::session&, const std::string&, const text_row&) const override { return {}; }
  std::optional<failure> prepare(soci::session&, const std::string&) const override { return {}; }
  std::string placeholder(std::size_t) const override { return {}; }

private:
  const scripted_database& of_;
};

scripted_database::scripted_database() : stage_(std::make_shared<stage>()), kind_(std::make_unique<kind>(*this)) {}

scripted_database::~scripted_database() = default;

options scripted_database::engine_options(pool_options pool) const {
  auto how = for_database("scripted:", pool);
  how.databases.front().backend = kind_.get();
  return how;
}

std::unique_ptr<session_factory> scripted_database::make_factory() const {
  return std::make_unique<scripted_factory>(stage_);
}

scripted_database::counts scripted_database::now() const {
  std::lock_guard guard{stage_->mutex};
  auto x = stage_->count;
  x.opening_held = static_cast<int>(stage_->opening.size());
  x.cancels_held = static_cast<int>(stage_->cancels.size());
  return x;
}

void scripted_database::refuse_sessions(std::optional<failure> why) {
  std::lock_guard guard{stage_->mutex};
  stage_->refusal = std::move(why);
}

void scripted_database::hold_opening(bool on) {
  std::lock_guard guard{stage_->mutex};
  stage_->holds_opening = on;
}

void scripted_database::let_in(std::optional<failure> unless) {
  std::lock_guard guard{stage_->mutex};
  auto x = std::move(stage_->opening.front());
  stage_->opening.pop_front();
  finish_opening(stage_, std::move(x), std::move(unless));
}

void scripted_database::open_timeout(std::chrono::nanoseconds x) {
  std::lock_guard guard{stage_->mutex};
  stage_->open_timeout = x;
}

void scripted_database::hold_cancels(bool on) {
  std::lock_guard guard{stage_->mutex};
  stage_->holds_cancels = on;
}

void scripted_database::confirm_cancel() {
  std::lock_guard guard{stage_->mutex};
  stage_->cancels.front()();
  stage_->cancels.pop_front();
}

void scripted_database::release(std::string_view query) {
  std::lock_guard guard{stage_->mutex};
  for (auto* s : stage_->sessions)
    if (s->holds() && s->query_name() == query)
      s->answer_later(one_number(s->id()));
}

void scripted_database::ignore_checks(bool on) {
  std::lock_guard guard{stage_->mutex};
  stage_->ignores_checks = on;
  for (auto* s : stage_->sessions)
    if (!on && s->is_checked())
      s->answer_later(one_number(1));
}

void scripted_database::break_idle(int id) {
  std::unique_lock lock{stage_->mutex};
  auto& broken = stage_->session_of(id);
  lock.unlock();
  broken.break_now();
}

void scripted_database::spoil(int id) {
  std::lock_guard guard{stage_->mutex};
  stage_->session_of(id).spoil();
}

void scripted_database::spoil_cancelled(int id) {
  std::lock_guard guard{stage_->mutex};
  stage_->session_of(id).spoil(true);
}

} // namespace sheaf::test
