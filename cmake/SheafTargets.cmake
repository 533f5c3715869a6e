# The settings that all targets of ours share, and nobody else's: the language level, the warnings, the precompiled
# headers.

# Compiles `target` the way all of ours are compiled. `PCH target` shares the precompiled headers of that target.
function(sheaf_target target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PCH" "")
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor -Woverloaded-virtual
                                           -Wextra-semi)
  # Designated initializers leave out what has a default.
  target_compile_options(${target} PRIVATE -Wno-missing-field-initializers)
  # GCC 12 sees overlaps and overflows in inlined strings that are not there (GCC bug 105651).
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread>)
  # The same in std::variant, where it optimizes.
  target_compile_options(${target} PRIVATE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-maybe-uninitialized;-Wno-array-bounds>)
  if(arg_PCH)
    target_precompile_headers(${target} REUSE_FROM ${arg_PCH})
  endif()
endfunction()

# Lets ccache compile, when there is one, unless the user chose a launcher. It must be told that precompiled headers are
# no obstacle: it hashes the precompiled header itself, and no source of ours depends on __TIME__.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SHEAF_CCACHE ccache)
  if(SHEAF_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1 "${SHEAF_CCACHE}")
  endif()
endif()
