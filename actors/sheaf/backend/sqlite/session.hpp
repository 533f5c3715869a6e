// SPDX-License-Identifier: BSD-3-Clause
//
// Sessions of an SQLite database. The session object lives on a loop; the file is only touched on the blocking
// executor.

#pragma once

#include "sheaf/session/session.hpp"

namespace sheaf {

/// The factory for `database.url` (see `parse_sqlite_url`), without looking at the file: a missing one is the failure
/// of `open`. `blocking` outlives the factory and its sessions; the factory, like its sessions' loops, may go while
/// something is being opened.
///
/// Its sessions
/// - run statements and C++ tasks on `blocking`, and answer on their loop;
/// - wait for locks of others until the job's deadline (`deadline_exceeded`); where waiting cannot help because another
///   transaction has written since this one read, the failure is `serialization_failure` at once;
/// - end a job at its deadline by themselves, too, and roll back the transaction that it leaves open. Other state that
///   a job leaves behind (`pragma`, `attach`, temporary tables) stays with the session;
/// - attach no missing file, as they open none, unless its name says so: `attach 'file:NAME?mode=rwc' as x`. A task
///   attaches as SQLite does;
/// - notice before each job when their file has been replaced or deleted, and open the one that is there: all of them
///   close the old one first. A write that may have gone into the old one is `connection_lost`;
/// - are never broken while idle, so `on_broken` has nothing to report.
///
/// A C++ task that neither returns nor uses its session cannot be stopped: the `done` of its `cancel` waits for it.
/// Destroying a session while a job runs leaves the job to its thread, and forgets `done`.
result<std::unique_ptr<session_factory>> make_sqlite_factory(const database_options& database,
                                                             blocking_executor& blocking);

} // namespace sheaf
