// SPDX-License-Identifier: BSD-3-Clause
//
// Functions, timers and handlers of a loop may throw: that goes no further, and the loop goes on.

#include "unit/loop/loop_sockets.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class EventLoopThatIsThrownAt : public testing::TestWithParam<bool> {
protected:
  EventLoopThatIsThrownAt() {
    loop->when_thrown([this](const std::exception_ptr& thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::runtime_error& e) {
        heard.emplace_back(e.what());
      } catch (...) { // the other thing that is thrown here
        heard.emplace_back("?");
      }
    });
    loop->start();
    if (GetParam())
      call([this] { loop->context(); });
  }
  ~EventLoopThatIsThrownAt() override { loop->stop(); }

  /// Calls `f` on the loop, and waits until it is over.
  void call(const std::function<void()>& f) {
    std::promise<void> over;
    loop->post([&] {
      f();
      over.set_value();
    });
    over.get_future().wait();
  }

  std::shared_ptr<event_loop> loop = std::make_shared<event_loop>();
  std::vector<std::string> heard;
};

INSTANTIATE_TEST_SUITE_P(, EventLoopThatIsThrownAt, testing::Bool(),
                         [](const auto& x) { return x.param ? "WithAsio" : "Alone"; });

TEST_P(EventLoopThatIsThrownAt, GoesOnBehindAFunction) {
  std::promise<void> behind;
  loop->post([&] {
    loop->post([] { throw std::runtime_error("a function"); });
    loop->post([] { throw 42; });
    loop->post([&] { behind.set_value(); });
  });
  behind.get_future().wait();
  call([&] { EXPECT_EQ(heard, (std::vector<std::string>{"a function", "?"})); });
}

TEST_P(EventLoopThatIsThrownAt, GoesOnBehindATimer) {
  std::promise<void> behind;
  timer first{[] { throw std::runtime_error("a timer"); }}, second{[&] { behind.set_value(); }};
  loop->post([&] {
    loop->arm(first, loop->now());
    loop->arm(second, loop->now() + 1ms);
  });
  behind.get_future().wait();
  call([&] { EXPECT_EQ(heard, std::vector<std::string>{"a timer"}); });
}

TEST_P(EventLoopThatIsThrownAt, HasTheHandlerHear) {
  struct thrower final : io_handler {
    void on_io(bool, bool) override { throw std::runtime_error("a handler"); }
    void on_thrown(const std::exception_ptr&) override {
      loop->unwatch(end, *this);
      over.set_value();
    }
    event_loop* loop = nullptr;
    int end = 0;
    std::promise<void> over;
  } bad;
  socket_pair bads, goods;
  std::promise<void> other;
  handler good{[&](bool, bool) {
    goods.read(0);
    other.set_value();
  }};
  bad.loop = loop.get();
  bad.end = bads.ends[0];
  call([&] {
    EXPECT_TRUE(loop->watch(bads.ends[0], bad));
    EXPECT_TRUE(loop->watch(goods.ends[0], good));
    bads.write(1, 'x');
    goods.write(1, 'x');
  });
  bad.over.get_future().wait();
  other.get_future().wait();
  call([&] {
    EXPECT_EQ(heard, std::vector<std::string>{"a handler"});
    loop->unwatch(goods.ends[0], good);
  });
}

TEST_P(EventLoopThatIsThrownAt, GoesOnBehindAHandlerOfAsios) {
  std::promise<void> behind;
  call([&] {
    boost::asio::post(loop->context(), [] { throw std::runtime_error("Asio's"); });
    boost::asio::post(loop->context(), [&] { behind.set_value(); });
  });
  behind.get_future().wait();
  call([&] { EXPECT_EQ(heard, std::vector<std::string>{"Asio's"}); });
}

} // namespace
