"""Generation: sampling, the decoding loop, stop strings, streaming, events. Numpy, no torch."""
