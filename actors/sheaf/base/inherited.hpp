// SPDX-License-Identifier: BSD-3-Clause
//
// A child process has the memory and the descriptors of the one that forked it, but none of its threads. This tells
// whether an object is from there, and closes its descriptors.

#pragma once

namespace sheaf {

/// The number of forks between the process that first called `inherited::note` and this one. An object that noted the
/// number at its beginning, and finds another one now, was made in a parent: its threads are not here. Any thread, no
/// lock. It counts `fork` and what is built on it, and not `vfork`, `posix_spawn` or a bare `clone`.
unsigned forks() noexcept;

namespace inherited {

/// Remembers that `descriptor`, which is open, is `owner`'s. Any thread.
void note(const void* owner, int descriptor);

/// Forgets the descriptors of `owner`, which is about to end. Any thread.
void forget(const void* owner) noexcept;

/// In a child: closes the descriptors that it has from `owner`. A number that stands for another file by now is left
/// alone.
void close_all(const void* owner) noexcept;

} // namespace inherited
} // namespace sheaf
