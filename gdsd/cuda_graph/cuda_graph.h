// The functions of libgdsd_cuda_graph, found by name with dlsym. `body` is called with `context`;
// exceptions of libtorch pass through.
#pragma once

extern "C" {

/// Records what body(context) asks of the current device, on a stream and memory pool of its own.
/// → a graph to be forgotten by its owner.
void* gdsd_record_graph(void (*body)(void*), void* context);

/// On the current stream.
void gdsd_replay_graph(void* graph);

void gdsd_forget_graph(void* graph);
}
