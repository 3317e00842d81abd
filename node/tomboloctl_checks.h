// What the arguments of tomboloctl may be, so that a slip of the pen is told before anybody is
// asked. Thread rule: pure functions.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace tombolo::node {

// 40 hexadecimal digits.
CLI::Validator IsId();
// A whole number that no sign turns into another one.
CLI::Validator IsNatural();
// HOST:PORT or unix:PATH.
CLI::Validator IsControlAddress();
// A payload or a record: at most 64 KiB.
CLI::Validator IsText();

}  // namespace tombolo::node
