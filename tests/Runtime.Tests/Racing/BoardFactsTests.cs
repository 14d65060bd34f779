using Dunlin.Runtime.Racing;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class BoardFactsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("dunlin-board-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void ARaspberryPiUnderAQuotaIsReadRight()
    {
        Write("proc/cpuinfo", """
            processor	: 0
            BogoMIPS	: 108.00
            Features	: fp asimd evtstrm crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
            CPU implementer	: 0x41
            CPU part	: 0xd0b

            Revision	: d04170
            Model		: Raspberry Pi 5 Model B Rev 1.0
            """);
        Write("proc/meminfo", "MemTotal:        8063232 kB\nMemFree:          100000 kB\nMemAvailable:    7000000 kB\n");
        Write("proc/self/status", "Name:\tdunlin\nCpus_allowed_list:\t0-3\n");
        Write("proc/self/cgroup", "0::/system.slice/dunlin-agent.service\n");
        Write("proc/sys/kernel/osrelease", "6.12.25+rpt-rpi-2712\n");
        Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n");
        Write("sys/fs/cgroup/system.slice/memory.max", "max\n");
        Write("sys/fs/cgroup/system.slice/dunlin-agent.service/memory.max", "536870912\n");
        Write("sys/fs/cgroup/system.slice/dunlin-agent.service/memory.current", "36870912\n");
        Write("sys/fs/cgroup/system.slice/dunlin-agent.service/cpu.max", "250000 100000\n");
        var board = BoardFacts.Read(_root);
        Assert.Equal("Raspberry Pi 5 Model B Rev 1.0 (Arm 0x41/0xd0b)", board.CpuModel);
        Assert.Contains("asimddp", board.CpuFlags);
        Assert.Equal(3, board.UsableCores);
        Assert.Equal(536870912, board.MemoryLimitByteCount);
        Assert.Equal(500000000, board.MemoryAvailableByteCount);
        Assert.Equal("ondemand", board.CpuGovernor);
        Assert.Equal("6.12.25+rpt-rpi-2712", board.Kernel);
    }

    [Fact]
    public void APcWithAnAffinityIsReadRight()
    {
        Write("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nflags\t\t: fpu avx2 avx512_vnni\n");
        Write("proc/meminfo", "MemTotal:        1000 kB\nMemAvailable:    500 kB\n");
        Write("proc/self/status", "Cpus_allowed_list:\t0-1,5\n");
        Write("proc/self/cgroup", "0::/\n");
        var board = BoardFacts.Read(_root);
        Assert.Equal(("AMD EPYC 9R14", 3), (board.CpuModel, board.UsableCores));
        Assert.Equal((1_024_000, 512_000), (board.MemoryLimitByteCount, board.MemoryAvailableByteCount));
        Assert.Null(board.CpuGovernor);
    }

    [Theory]
    [InlineData("0-7", "0-3,6", 5)]
    [InlineData("2-3", "0-2", 1)]
    [InlineData("0-3", "0-7", 4)]
    [InlineData("0-3", "", 4)]
    public void ACoreThatIsOfflineIsNotUsable(string allowed, string online, int usable)
    {
        Write("proc/self/status", $"Cpus_allowed_list:\t{allowed}\n");
        Write("sys/devices/system/cpu/online", $"{online}\n");
        Assert.Equal(usable, BoardFacts.Read(_root).UsableCores);
    }

    [Fact]
    public void ThisMachineCanBeRead()
    {
        var board = BoardFacts.Read();
        Assert.NotEmpty(board.CpuFlags);
        Assert.InRange(board.UsableCores, 1, Environment.ProcessorCount);
        Assert.InRange(board.MemoryAvailableByteCount, 1, board.MemoryLimitByteCount);
    }

    private void Write(string path, string content)
    {
        var file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }
}
