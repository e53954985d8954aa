// The device tool's entry: Embedded Swift has no CommandLine.
int eri_device_main(int argc, char **argv);

int main(int argc, char **argv) { return eri_device_main(argc, argv); }
