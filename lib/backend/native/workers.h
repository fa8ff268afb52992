// The threads that share the rows of one kernel.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

namespace {

// They sleep in between kernels and live as long as the process.
class Workers {
 public:
  using Work = std::function<void(int64_t, int64_t)>;

  static Workers& get() {
    static Workers* workers = new Workers;  // never freed: its threads may outlive static objects
    return *workers;
  }

  // Calls work(begin, end) until all rows are done; a row costs about `cost` numbers.
  void run(int64_t rows, int64_t cost, const Work& work) {
    std::unique_lock<std::mutex> alone(running_, std::try_to_lock);
    if (count_ == 0 || rows * cost < kSmall || !alone.owns_lock()) return work(0, rows);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      rows_ = rows;
      chunk_ = std::max<int64_t>(1, rows / (4 * (count_ + 1)));
      next_ = 0;
      turn_++;
    }
    wake_.notify_all();
    take(work);
    // Whoever wakes later finds nothing left; only those that are at work are waited for.
    watch([this] { return busy_ == 0; });
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = nullptr;
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  static constexpr int64_t kSmall = 1 << 14;
  static constexpr int kMost = 15;  // memory is the limit of these kernels, and few threads reach it

  Workers() {
    const int wanted = std::min(kMost, static_cast<int>(std::thread::hardware_concurrency()) - 1);
    try {
      for (; count_ < wanted; count_++) std::thread([this] { live(); }).detach();
    } catch (const std::system_error&) {
      // The system gives no more threads: these have to do.
    }
  }

  // Looks a moment whether it holds already: waking a thread takes longer than a small kernel.
  template <typename Holds>
  static void watch(Holds holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
    while (!holds() && std::chrono::steady_clock::now() < until) {
    }
  }

  void live() {
    for (uint64_t seen = 0;;) {
      const Work* work;
      watch([&] { return turn_ != seen; });
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return turn_ != seen; });
        seen = turn_;
        work = work_;
        if (work == nullptr) continue;
        busy_++;
      }
      take(*work);
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void take(const Work& work) {
    for (int64_t begin; (begin = next_.fetch_add(chunk_)) < rows_;) {
      work(begin, std::min(rows_, begin + chunk_));
    }
  }

  int count_ = 0;
  std::mutex running_, mutex_;
  std::condition_variable wake_, done_;
  const Work* work_ = nullptr;  // null in between kernels
  int64_t rows_ = 0, chunk_ = 1;
  std::atomic<int64_t> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<uint64_t> turn_{0};
};

}  // namespace
