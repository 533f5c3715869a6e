// SPDX-License-Identifier: BSD-3-Clause
//
// The engine as an actor: a request message is answered by a reply, on the engine's own actor system and on the
// caller's.

#include "sheaf/protocol.hpp"
#include "support/database_under_test.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>

#include <future>
#include <optional>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Protocol : public TidyTest, public ::testing::WithParamInterface<database_kind> {
protected:
  void SetUp() override { count_what_is_there(); }
  void TearDown() override {
    e.reset();
    EXPECT_TRUE(
        eventually([&] { return system.registry().running() == 0; })); // actors on CAF's scheduler, in their own time
    expect_nothing_left();
  }

  engine& open(pool_options pool = {}) {
    e = std::move(engine::create(database->engine_options(pool), system).value());
    return *e;
  }

  /// The actor's answer, or CAF's error.
  static result<reply> ask(caf::actor_system& from, const engine_actor& whom, request asked) {
    caf::scoped_actor self{from};
    std::optional<result<reply>> answer;
    self->request(whom, caf::infinite, std::move(asked))
        .receive([&](reply& x) { answer = std::move(x); },
                 [&](const caf::error& why) { answer = failure{.message = from.render(why)}; });
    return std::move(*answer);
  }

  std::unique_ptr<database_under_test> database = make_database(GetParam());
  std::unique_ptr<engine> e;
};

SHEAF_ON_EVERY_SQL_DATABASE(Protocol);

TEST_P(Protocol, AnswersARequestMessage) {
  const auto x = ask(system, actor_of(open()), request_of({database->answers("a", 1), database->answers("", 2)}));
  ASSERT_TRUE(x.has_value()) << x.error().message;
  ASSERT_TRUE(x->ok()) << to_string(*x->failure);
  EXPECT_EQ(number_in((*x)["a"]), 1);
  EXPECT_EQ(number_in((*x)["q2"]), 2);
  EXPECT_EQ(actor_of(*e), actor_of(*e));
}

TEST_P(Protocol, AnswersWithTheFailureOfARequest) {
  const auto door = actor_of(open());
  EXPECT_EQ(ask(system, door, request_of({database->answers("a", 1), database->answers("a", 2)}))->failure->code,
            errc::invalid_request);
  EXPECT_EQ(ask(system, door, request_of({database->fails("bad")}))->failure->query, "bad");
  auto late = request_of({database->never_ends("")});
  late.deadline = 50ms;
  EXPECT_EQ(ask(system, door, std::move(late))->failure->code, errc::deadline_exceeded);
}

/// CAF's own way is to print them.
TEST_P(Protocol, PrintsNothingOfMessagesThatItDoesNotKnow) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    caf::actor_system_config strangers_config;
    caf::actor_system strangers{strangers_config};
    engine other = std::move(*engine::create(database->engine_options(), strangers).value());
    const auto door = actor_of(other);
    const auto untyped = caf::actor_cast<caf::actor>(door);
    caf::scoped_actor self{strangers};
    caf::anon_send(untyped, std::string{"hunter2"});
    self->request(untyped, caf::infinite, std::string{"hunter2"})
        .receive([] { ADD_FAILURE() << "it took it"; },
                 [](const caf::error& why) { EXPECT_EQ(why, caf::sec::unexpected_message); });
    caf::anon_send(untyped, caf::make_message(caf::down_msg{untyped.address(), caf::exit_reason::kill}));
    EXPECT_TRUE(ask(strangers, door, request_of({database->answers("", 1)}))->ok());
  } // what CAF prints has been printed
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_P(Protocol, AnswersOnTheEnginesOwnActorSystem) {
  engine own{database->engine_options()};
  const auto x = ask(system, actor_of(own), request_of({database->answers("", 1)}));
  ASSERT_TRUE(x.has_value()) << x.error().message;
  EXPECT_EQ(number_in((*x)[0]), 1);
}

TEST_P(Protocol, RunsTasksOfTheSameProcess) {
  const auto x = ask(system, actor_of(open()), request_of({query::of_task("task", [](soci::session&) { return 42; })}));
  ASSERT_TRUE(x.has_value()) << x.error().message;
  EXPECT_EQ((*x)["task"].value<int>(), 42);
}

TEST_P(Protocol, AnswersManyRequestsOfOneActorAtOnce) {
  const auto door = actor_of(open({.max_size = 8}));
  std::promise<int> done;
  system.spawn([&](caf::event_based_actor* self) {
    auto left = std::make_shared<int>(4);
    for (int i = 0; i < 4; ++i)
      self->request(door, caf::infinite, request_of(2, [&](int) { return database->meets("", 8); }))
          .then([&, left](reply& x) {
            EXPECT_TRUE(x.ok());
            if (--*left == 0)
              done.set_value(0);
          });
  });
  done.get_future().wait();
}

TEST_P(Protocol, DoesNotMindARequesterThatIsGone) {
  const auto door = actor_of(open());
  for (int i = 0; i < 20; ++i) {
    caf::scoped_actor self{system};
    self->send(door, request_of({database->answers("", i)}));
  }
  EXPECT_TRUE(e->run(request_of({database->answers("", 1)})).ok());
}

/// Sends `asked`, and does nothing with its reply.
caf::behavior asker(caf::event_based_actor* self, const engine_actor& door, const std::vector<request>& asked) {
  for (const auto& x : asked)
    self->request(door, caf::infinite, x).then([](const reply&) {});
  return {[](int) {}};
}

TEST_P(Protocol, CancelsTheRequestsOfAnActorThatEnds) {
  const auto door = actor_of(open({.max_size = 4}));
  for (int round = 0; round < 3; ++round) {
    const auto two = system.spawn(
        asker, door, std::vector{request_of({database->never_ends("")}), request_of({database->never_ends("")})});
    const auto other = system.spawn(asker, door, std::vector{request_of({database->never_ends("")})});
    ASSERT_TRUE(eventually([&] { return database->running() == 3; }));
    caf::anon_send_exit(two, caf::exit_reason::kill);
    ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
    EXPECT_TRUE(e->run(request_of({database->answers("", 1)})).ok());
    EXPECT_EQ(database->running(), 1);
    caf::anon_send_exit(other, caf::exit_reason::kill);
    ASSERT_TRUE(eventually([&] { return database->running() == 0; }));
  }
  EXPECT_EQ(e->stats().front().lost, 0u);
}

TEST_P(Protocol, CancelsTheRequestOfAScopedActorThatIsGone) {
  const auto door = actor_of(open({.max_size = 1}));
  {
    caf::scoped_actor self{system};
    self->request(door, caf::infinite, request_of({database->never_ends("")}));
    ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
  }
  EXPECT_TRUE(e->run(request_of({database->answers("", 1)})).ok());
}

/// CAF's time-outs are not seen from outside, so this is what a requester can do about them.
TEST_P(Protocol, CancelsWhatItsRequesterSaysByItsName) {
  const auto door = actor_of(open({.max_size = 2}));
  auto a = request_of({database->never_ends("")}), b = request_of({database->never_ends("")});
  a.id = "a";
  b.id = "b";
  caf::scoped_actor self{system}, stranger{system};
  auto first = self->request(door, caf::infinite, a), second = self->request(door, caf::infinite, b);
  ASSERT_TRUE(eventually([&] { return database->running() == 2; }));
  stranger->send(door, cancel_request{});
  self->send(door, cancel_request{"b"});
  const auto is_cancelled = [](const reply& x) { EXPECT_EQ(x.failure->code, errc::query_canceled); };
  const auto on_error = [&](const caf::error& why) { ADD_FAILURE() << system.render(why); };
  second.receive(is_cancelled, on_error);
  EXPECT_TRUE(eventually([&] { return database->running() == 1; }));
  self->send(door, cancel_request{});
  first.receive(is_cancelled, on_error);
}

TEST_P(Protocol, RunsWhatWasOnlySentToItsEndThoughItsSenderIsGone) {
  const auto door = actor_of(open({.max_size = 2}));
  {
    caf::scoped_actor self{system};
    self->send(door, request_of({database->meets("", 2)}));
  }
  EXPECT_TRUE(e->run(request_of({database->meets("", 2)})).ok());
}

TEST_P(Protocol, OutlivesExitMessages) {
  const auto door = actor_of(open());
  caf::anon_send_exit(door, caf::exit_reason::kill);
  const auto x = ask(system, door, request_of({database->answers("", 1)}));
  ASSERT_TRUE(x.has_value()) << x.error().message;
  EXPECT_TRUE(x->ok());
}

TEST_P(Protocol, TellsWhoMonitorsItOfItsEnd) {
  const auto door = actor_of(open());
  caf::scoped_actor self{system};
  self->monitor(door);
  e.reset();
  self->receive([&](const caf::down_msg& x) { EXPECT_EQ(x.source, door.address()); });
}

TEST_P(Protocol, IsOneStepOfAComposition) {
  const auto door = caf::actor_cast<caf::actor>(actor_of(open()));
  const auto count = system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const reply& x) { return static_cast<int>(x.outcomes.size()); }};
  });
  caf::scoped_actor self{system};
  self->request(count * door, caf::infinite, request_of({database->answers("", 1), database->answers("", 2)}))
      .receive([](int n) { EXPECT_EQ(n, 2); }, [&](const caf::error& why) { ADD_FAILURE() << system.render(why); });
  caf::anon_send_exit(count, caf::exit_reason::user_shutdown);
}

TEST_P(Protocol, FailsRequestsOnceTheEngineIsGone) {
  const auto door = actor_of(open());
  e.reset();
  const auto x = ask(system, door, request_of({database->answers("", 1)}));
  EXPECT_TRUE(x.has_error() || x->failure->code == errc::pool_closed);
}

TEST_P(Protocol, AnswersWhatIsInFlightWhenTheEngineGoes) {
  const auto door = actor_of(open({.max_size = 2}));
  std::promise<void> sent; // two of them run before the last has been sent, which would find the engine gone
  std::promise<std::vector<errc>> done;
  system.spawn([&](caf::event_based_actor* self) {
    auto codes = std::make_shared<std::vector<errc>>();
    for (int i = 0; i < 10; ++i)
      self->request(door, caf::infinite, request_of({database->never_ends("")})).then([&, codes](reply& x) {
        codes->push_back(x.failure->code);
        if (codes->size() == 10)
          done.set_value(*codes);
      });
    sent.set_value();
  });
  sent.get_future().wait();
  ASSERT_TRUE(eventually([&] { return database->running() == 2; }));
  e.reset();
  for (const auto code : done.get_future().get())
    EXPECT_EQ(code, errc::pool_closed);
}

struct persistent_state {
  engine_actor door;
  request asked;
  std::promise<void> first, last;
  int answers = 0;
};

/// Sends one request after the other, until one is not answered with rows.
void send_next(caf::event_based_actor* self, const std::shared_ptr<persistent_state>& state) {
  const auto on_answer = [self, state](bool ok) {
    if (++state->answers == 1)
      state->first.set_value();
    if (ok)
      send_next(self, state);
    else
      state->last.set_value();
  };
  self->request(state->door, caf::infinite, state->asked)
      .then([on_answer](reply& x) { on_answer(x.ok()); }, [on_answer](const caf::error&) { on_answer(false); });
}

TEST_P(Protocol, AnswersEveryRequestThatComesWhileTheEngineGoes) {
  for (int round = 0; round < 20; ++round) {
    auto state = std::make_shared<persistent_state>();
    state->door = actor_of(open({.max_size = 2}));
    state->asked = request_of({database->answers("", 1)});
    system.spawn([state](caf::event_based_actor* self) { send_next(self, state); });
    state->first.get_future().wait();
    e.reset();
    state->last.get_future().wait(); // a request that nobody answers would keep it for ever
  }
}

} // namespace
