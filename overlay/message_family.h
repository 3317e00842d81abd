// How the closed list of messages is put together from one header per subject.
//
// A message is a small trivially copyable struct with
//   kName        as reports print it,
//   kFieldBytes  the size of its fixed fields in a compact binary encoding,
// and at most one list (a ListHandle named `contacts`) and one payload (a Payload named `payload`,
// or a Record named `record`). A message with a number of equal parts inside says entries() and
// kEntryBytes, the size of each. From these message.h derives what hosts need to know about it.
#pragma once

#include <variant>

namespace tombolo {

template <class... Kinds>
struct MessageFamily {
  using Variant = std::variant<Kinds...>;
};

// All kinds of several families, in order, as one family.
template <class... Families>
struct ConcatFamilies;

template <class... Kinds>
struct ConcatFamilies<MessageFamily<Kinds...>> {
  using Type = MessageFamily<Kinds...>;
};

template <class... First, class... Second, class... Rest>
struct ConcatFamilies<MessageFamily<First...>, MessageFamily<Second...>, Rest...> {
  using Type = typename ConcatFamilies<MessageFamily<First..., Second...>, Rest...>::Type;
};

}  // namespace tombolo
