// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite's file system, but for one thing: `attach` creates no file unless it is told to. Any thread.

#pragma once

namespace sheaf {

/// The name under which it is registered with SQLite, beside the default. Registers it when it is not yet; null when
/// SQLite has no memory for that.
const char* sqlite_vfs_name() noexcept;

/// As long as it is there, a file that is missing is only created on this thread when its own name says so
/// (`file:NAME?mode=rwc`). SQLite opens what is attached with the flags that the connection was opened with, whatever
/// the mode in its URI; and `vacuum into`, which does create its file, opens it in just the same way.
class no_new_files {
public:
  no_new_files() noexcept;
  ~no_new_files();

  no_new_files(const no_new_files&) = delete;
  no_new_files& operator=(const no_new_files&) = delete;
};

} // namespace sheaf
