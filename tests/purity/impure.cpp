// What the core must not do, a line each: the purity check has to report every one of them.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

int open_socket() {
  return socket(AF_INET, SOCK_STREAM, 0);
}
long posix_time() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}
long c_time() {
  return time(nullptr);
}
long steady_time() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}
long system_time() {
  return std::chrono::system_clock::now().time_since_epoch().count();
}
long read_octets(void* into) {
  return read(0, into, 1);
}
void* open_file() {
  return fopen("/dev/null", "r");
}
void open_stream() {
  std::ifstream("/dev/null").get();
}
void print_c(int value) {
  std::printf("%d\n", value);
}
void print_stream(int value) {
  std::cout << value;
}
unsigned hardware_random() {
  return std::random_device()();
}
int c_random() {
  return std::rand();
}
const char* environment() {
  return std::getenv("HOME");
}
void start_thread() {
  std::thread([] {}).join();
}
void lock(std::mutex& mutex) {
  const std::lock_guard guard(mutex);
}
void leave() {
  std::exit(1);
}
