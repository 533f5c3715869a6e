// SPDX-License-Identifier: BSD-3-Clause
//
// There is no memory for an actor: its request is answered all the same, and the next one as if nothing had been.

#include "sheaf/core/query_actor.hpp"
#include "sheaf/core/request_actor.hpp"
#include "sheaf/engine.hpp"

#include <caf/actor_storage.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

using namespace sheaf;

/// The next allocation of this many bytes fails, on whichever thread.
std::atomic<std::size_t> fails = 0;

} // namespace

void* operator new(std::size_t bytes) {
  auto wanted = bytes;
  if (fails.load(std::memory_order_relaxed) == bytes && fails.compare_exchange_strong(wanted, 0))
    throw std::bad_alloc{};
  if (void* got = std::malloc(bytes > 0 ? bytes : 1)) // NOLINT(cppcoreguidelines-no-malloc): what `new` is made of
    return got;
  throw std::bad_alloc{};
}

/// Else a sanitizer's own would answer for it, and miss the memory in our `delete`.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return ::operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void operator delete(void* x) noexcept { std::free(x); }              // NOLINT(cppcoreguidelines-no-malloc): as above
void operator delete(void* x, std::size_t) noexcept { std::free(x); } // NOLINT(cppcoreguidelines-no-malloc): as above

namespace {

class NoMemory : public testing::Test {
protected:
  static request three() {
    request x;
    for (int i = 0; i < 3; ++i)
      x.queries.push_back({"", "select 7 as n"});
    return x;
  }

  void expect_all_is_well() {
    const auto x = e.run(three());
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
    EXPECT_EQ(x[2].table().scalar<int>(), 7);
    EXPECT_EQ(e.stats()[0].active, 0u);
  }

  engine e{"sqlite::memory:"};
};

TEST_F(NoMemory, ForAQueryFailsIt) {
  expect_all_is_well();
  fails = sizeof(caf::actor_storage<query_actor>);
  auto asked = three();
  asked.on_error = error_policy::partial;
  const auto x = e.run(std::move(asked));
  EXPECT_EQ(fails.exchange(0), 0u) << "it was not asked for";
  ASSERT_TRUE(x.failure);
  EXPECT_EQ(x.failure->code, errc::internal) << to_string(*x.failure);
  EXPECT_FALSE(x[0].ok());
  EXPECT_TRUE(x[1].ok());
  EXPECT_TRUE(x[2].ok());
  expect_all_is_well();
}

TEST_F(NoMemory, ForARequestRefusesIt) {
  expect_all_is_well();
  fails = sizeof(caf::actor_storage<request_actor>);
  const auto x = e.run(three());
  EXPECT_EQ(fails.exchange(0), 0u) << "it was not asked for";
  ASSERT_TRUE(x.failure);
  EXPECT_EQ(x.failure->code, errc::internal) << to_string(*x.failure);
  expect_all_is_well();
}

} // namespace
