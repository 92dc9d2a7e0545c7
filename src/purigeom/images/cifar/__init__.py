"""CIFAR-10, CIFAR-100 and CIFAR-10.1, from whichever source there is: a file per source."""
