// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite's result codes in our terms. A pure function, any thread.

#pragma once

#include "sheaf/error.hpp"

namespace sheaf {

/// The code for an SQLite result code, primary or extended (SQLite manual, "Result and Error Codes").
///
/// `SQLITE_BUSY` is `serialization_failure`: sessions wait for locks until their deadline (then it is
/// `deadline_exceeded`), so what is left are the cases where waiting cannot help, because a transaction read before
/// another one wrote; it has to be run again. `connection_lost` means that the file can no longer be read, and a new
/// session may do better. `disk_full` is `SQLITE_FULL`: the disk, or the limit of `pragma max_page_count`. `internal`
/// is for what neither the statement nor a new session can help: damage, no memory.
errc code_of_sqlite(int result_code) noexcept;

} // namespace sheaf
