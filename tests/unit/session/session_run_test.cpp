// SPDX-License-Identifier: BSD-3-Clause
//
// The way of a run through a session, and what asserts.

#include "support/loop_test.hpp"
#include "support/scripted_session.hpp"

#include "sheaf/session/session.hpp"

#include <future>
#include <memory>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class Run : public LoopTest {
protected:
  struct listener final : run_listener {
    void on_answer(answer&& got, const moments& when) override {
      EXPECT_EQ(of->state, session_run::status::at_rest) << "it may be pushed again from within";
      EXPECT_NE(when.sent, clock::time_point{});
      answers.push_back(std::move(got));
      if (then)
        then();
    }

    session_run* of = nullptr;
    std::vector<answer> answers;
    std::function<void()> then;
  };

  Run() {
    std::promise<void> opened;
    on_loop([&] {
      factory->open(*loop, {}, [&](result<std::unique_ptr<session>> x) {
        db = std::move(*x);
        opened.set_value();
      });
    });
    opened.get_future().wait();
    heard.of = &x;
  }
  ~Run() override {
    on_loop([this] { db.reset(); });
  }

  /// Loop thread only, as all of these.
  void prepare(const char* script_text) {
    auto q = std::make_shared<query>("q", statement{script_text});
    x.job = {.query = q.get(), .text = q->statement.parse(dialect::sqlite, {}).get(), .keep_alive = q};
    x.listener = &heard;
  }
  void push(const char* script_text) {
    prepare(script_text);
    db->push(x);
  }

  void settle() {
    for (int i = 0; i < 3; ++i)
      on_loop([] {});
  }

  scripted_database script;
  std::unique_ptr<session_factory> factory = script.make_factory();
  std::unique_ptr<session> db;
  listener heard;
  session_run x;
};

using MisusedRunDeathTest = Run;

TEST_F(Run, IsInLineUntilItsAnswer) {
  on_loop([&] {
    EXPECT_EQ(db->room(), 1u);
    push("answer 7");
    EXPECT_EQ(x.state, session_run::status::in_line);
    EXPECT_EQ(db->room(), 0u);
    EXPECT_TRUE(heard.answers.empty()) << "not before the push returns";
  });
  settle();
  ASSERT_EQ(heard.answers.size(), 1u);
  EXPECT_EQ(std::get<table>(heard.answers.front()).scalar<int>(), 7);
  on_loop([&] { EXPECT_EQ(db->room(), 1u); });
}

TEST_F(Run, CanBePushedAgainFromWithinItsAnswer) {
  heard.then = [&] {
    heard.then = nullptr;
    push("answer 8");
  };
  on_loop([&] { push("answer 7"); });
  settle();
  settle();
  ASSERT_EQ(heard.answers.size(), 2u);
  EXPECT_EQ(std::get<table>(heard.answers.back()).scalar<int>(), 8);
}

TEST_F(Run, LetsGoOfItsQueryBeforeItsAnswerIsHeard) {
  std::weak_ptr<const void> kept;
  heard.then = [&] { EXPECT_TRUE(kept.expired()); };
  on_loop([&] {
    push("answer 7");
    kept = x.job.keep_alive;
  });
  settle();
  EXPECT_EQ(heard.answers.size(), 1u);
}

TEST_F(Run, ThatIsDroppedIsAtRestOnceTheDatabaseIsDoneWithIt) {
  bool over = false;
  script.hold_cancels(true);
  on_loop([&] {
    push("never");
    db->drop(x, [&] {
      EXPECT_EQ(x.state, session_run::status::at_rest);
      over = true;
    });
  });
  settle();
  on_loop([&] {
    EXPECT_FALSE(over);
    EXPECT_EQ(x.state, session_run::status::dropped);
    EXPECT_EQ(db->room(), 0u);
  });
  script.confirm_cancel();
  settle();
  EXPECT_TRUE(over);
  EXPECT_TRUE(heard.answers.empty());
}

// Misuse: in a build without assertions these do nothing worse than run.

TEST_F(MisusedRunDeathTest, AssertsWhenItIsPushedTwice) {
  on_loop([&] {
    push("never");
    EXPECT_DEBUG_DEATH(db->push(x), "a run is pushed twice");
  });
}

TEST_F(MisusedRunDeathTest, AssertsWhenThereIsNoRoomForIt) {
  on_loop([&] {
    push("never");
    session_run other{.job = x.job, .listener = &heard};
    EXPECT_DEBUG_DEATH(db->push(other), "no room");
  });
}

TEST_F(MisusedRunDeathTest, AssertsWhenItIsDroppedAtRest) {
  on_loop([&] { EXPECT_DEBUG_DEATH(db->drop(x, [] {}), "in no line"); });
}

TEST_F(MisusedRunDeathTest, AssertsWhenItIsResumedAtRest) {
  on_loop([&] { EXPECT_DEBUG_DEATH(db->resume(x), "in no line"); });
}

} // namespace
