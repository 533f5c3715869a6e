// SPDX-License-Identifier: BSD-3-Clause
//
// A sign of life from a session that has been idle for long: it runs `select 1` before anybody else gets it. A server
// that is gone without a word, behind a firewall that has forgotten the connection, shows in no other way.

#pragma once

#include "sheaf/session_pool.hpp"

namespace sheaf {

struct session_pool::check final : session_listener {
  check(session_pool& pool, session& of);

  void on_answer(answer&&, const moments&) override { pool.on_checked(*this); }

  session_pool& pool;
  session& subject;
  timer overdue;
};

} // namespace sheaf
