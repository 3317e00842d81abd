// Every story of this folder, and the language they are written in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/transcripts/transcript.h"

namespace tombolo::sim {
namespace {

constexpr const char* kFolder = "tests/transcripts";

std::vector<std::string> Stories() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string PathOf(const std::string& story) { return std::string(kFolder) + "/" + story + ".txt"; }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Transcript, EveryStoryGoesAsItIsWritten) {
  const bool rewrite = std::getenv("TOMBOLO_REWRITE_TRANSCRIPTS") != nullptr;
  const std::vector<std::string> stories = Stories();
  EXPECT_GE(stories.size(), 10U);
  for (const std::string& story : stories) {
    const std::string written = ReadAll(PathOf(story));
    const std::string played = PlayTranscript(written);
    EXPECT_EQ(played.find("error:"), std::string::npos) << story << "\n" << played;
    if (rewrite) {
      std::ofstream(PathOf(story)) << played;
    } else {
      EXPECT_EQ(played, written) << story;
    }
  }
}

TEST(Transcript, AStoryGoesTheSameWayTwice) {
  for (const std::string& story : Stories()) {
    const std::string written = ReadAll(PathOf(story));
    EXPECT_EQ(PlayTranscript(written), PlayTranscript(written)) << story;
  }
}

TEST(Transcript, WhatIsNotACommandIsAnError) {
  EXPECT_EQ(PlayTranscript("> dance\n"), "> dance\nerror: unknown command\n");
  EXPECT_EQ(PlayTranscript("> run 1s\n"), "> run 1s\nerror: no world\n");
  EXPECT_EQ(PlayTranscript("> world\n> crash nobody\n"),
            "> world\n> crash nobody\nerror: unknown peer\n");
  EXPECT_EQ(PlayTranscript("> world k=4\n").find("> world k=4\nerror: "), 0U);
}

TEST(Transcript, AnswersAreMadeAnewAndCommentsKept) {
  EXPECT_EQ(PlayTranscript("# Why.\n> world\nold answer\n# More.\n"), "# Why.\n> world\n# More.\n");
}

TEST(Transcript, IdsAndSpans) {
  EXPECT_EQ(ParseId("a")->words[0], 0xa0000000U);
  EXPECT_EQ(ParseId("123456789")->words[1], 0x90000000U);
  EXPECT_FALSE(ParseId(""));
  EXPECT_FALSE(ParseId("xy"));
  EXPECT_EQ(ParseSpan("5min"), Duration::Minutes(5));
  EXPECT_FALSE(ParseSpan("5"));
  EXPECT_EQ(SpanText(Duration::Milliseconds(1234)), "1.2 s");
}

}  // namespace
}  // namespace tombolo::sim
