// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/vfs.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <string_view>

namespace sheaf {

using namespace sqlite_api;

namespace {

constexpr const char* vfs_name = "sheaf";

thread_local bool creates_nothing = false;

bool says_to_create(const char* name) {
  const auto* mode = name ? sqlite3_uri_parameter(name, "mode") : nullptr;
  return mode && std::string_view{mode} == "rwc";
}

sqlite3_vfs* default_vfs = nullptr; ///< Set before ours is registered.

int open_sqlite_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  if (creates_nothing && (flags & SQLITE_OPEN_MAIN_DB) != 0 && !says_to_create(name))
    flags &= ~SQLITE_OPEN_CREATE;
  return default_vfs->xOpen(vfs, name, file, flags, flags_out);
}

/// The default one, whose data it has too: its methods do not tell the two apart.
const char* register_sheaf_vfs() noexcept {
  default_vfs = sqlite3_vfs_find(nullptr);
  if (!default_vfs)
    return nullptr;
  static sqlite3_vfs ours = *default_vfs;
  ours.zName = vfs_name;
  ours.pNext = nullptr;
  ours.xOpen = open_sqlite_file;
  return sqlite3_vfs_register(&ours, 0) == SQLITE_OK ? vfs_name : nullptr;
}

} // namespace

const char* sqlite_vfs_name() noexcept {
  static const char* const name = register_sheaf_vfs();
  return name;
}

no_new_files::no_new_files() noexcept { creates_nothing = true; }

no_new_files::~no_new_files() { creates_nothing = false; }

} // namespace sheaf
