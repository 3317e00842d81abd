# What every target of the project shares.
#
#   tombolo_warnings              INTERFACE: warnings, for our own code only (link it PRIVATE)
#   tombolo_configure(target)     language, include root, reproducible arithmetic, warnings
#   tombolo_inlinable(library)    may be optimised together with the program that it is linked into,
#   tombolo_inline(program)       if that asks for it

add_library(tombolo_warnings INTERFACE)
target_compile_options(
  tombolo_warnings
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            $<$<BOOL:${TOMBOLO_WERROR}>:-Werror>
            # False alarms of g++ 12 at -O3 on std::string (GCC bug 105651) and std::vector::insert.
            $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
            $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-stringop-overflow>
)

# The event loop calls small functions of other files millions of times a second: inlining them is
# worth 5 to 15 % of its time (`./dev bench`). The objects carry both code and what link-time
# optimisation needs: tests link at once (-fno-lto), only the programs that people wait for take a
# while. gcc alone, in release builds; the other builds are there to be compared with.
set(tombolo_release_gcc $<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>)

function(tombolo_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(
    ${target} PROPERTIES CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
                         VERIFY_INTERFACE_HEADER_SETS ON
  )
  # The repository is the include root: #include "overlay/rng.h". Installed, it is include/tombolo.
  target_include_directories(
    ${target} PUBLIC $<BUILD_INTERFACE:${tombolo_SOURCE_DIR}>
                     $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tombolo>
  )
  # A fused multiply-add rounds once where two instructions round twice: results would depend on the
  # machine. PUBLIC, since headers hold inline arithmetic.
  target_compile_options(${target} PUBLIC -ffp-contract=off)
  # Position-independent code of g++ calls its own functions as if somebody might replace them, and
  # inlines none of them. Nobody does; clang takes that for granted.
  target_compile_options(
    ${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>
  )
  # Programmer errors are asserted in every build of ours. PUBLIC, so that inline functions are the
  # same everywhere; a user's own asserts stay the user's choice.
  target_compile_options(${target} PUBLIC $<BUILD_INTERFACE:-UNDEBUG>)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:tombolo_warnings>)
  # Not beside -flto: g++ has no linker plugin as soon as -fno-lto stands anywhere.
  set(inlined $<BOOL:$<TARGET_PROPERTY:TOMBOLO_INLINED>>)
  target_link_options(
    ${target} PRIVATE $<$<AND:${tombolo_release_gcc},$<NOT:${inlined}>>:-fno-lto>
  )
endfunction()

function(tombolo_inlinable library)
  target_compile_options(
    ${library} PRIVATE $<${tombolo_release_gcc}:-flto> $<${tombolo_release_gcc}:-ffat-lto-objects>
  )
endfunction()
function(tombolo_inline program)
  set_target_properties(${program} PROPERTIES TOMBOLO_INLINED ON)
  # The same false alarm as above comes up again when the whole is compiled.
  target_link_options(
    ${program} PRIVATE $<${tombolo_release_gcc}:-flto=auto> $<${tombolo_release_gcc}:-O3>
    $<${tombolo_release_gcc}:-Wno-stringop-overflow>
  )
endfunction()
