using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Board;
using Dunlin.TestKit.Machine;

namespace Dunlin.Telemetry.Tests.Board;

public sealed class BoardSensorsTests
{
    [Fact]
    public void ARaspberryPi5TellsItsMakeHeatAndClock()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        var board = new BoardSensors(recorded.Root);
        var hardware = board.ReadHardware();
        Assert.Equal("Raspberry Pi 5 Model B Rev 1.0", hardware.Model);
        Assert.Equal("Cortex-A76", hardware.CpuModel);
        Assert.Equal(4, hardware.Cores);
        Assert.Equal(8256128L * 1024, hardware.MemoryByteCount);
        Assert.Equal("6.12.25+rpt-rpi-2712", hardware.Kernel);
        Assert.Equal("Debian GNU/Linux 12 (bookworm)", hardware.OperatingSystem);
        Assert.Equal(55.4, board.ReadCelsius());
        Assert.Equal(1950, board.ReadCpuMegahertz());
        Assert.Equal((false, null), board.ReadThrottling());
        Assert.Equal(7321456L * 1024, board.ReadAvailableByteCount());
        Assert.Equal(13.27, board.ReadBusySeconds()!.Value, 6);
    }

    [Fact]
    public void ARaspberryPi4OnAWeakSupplyNamesUnderVoltageBeforeHeat()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi4);
        var board = new BoardSensors(recorded.Root);
        Assert.Equal((true, "under-voltage"), board.ReadThrottling());
        Assert.Equal(81.3, board.ReadCelsius());
        Assert.Equal("Cortex-A72", board.ReadHardware().CpuModel);
    }

    [Theory]
    [InlineData("8", "thermal")]
    [InlineData("4", "thermal")]
    [InlineData("2", "frequency-capped")]
    [InlineData("0x1", "under-voltage")]
    [InlineData("50000", null)]
    public void TheFirmwaresFlagsAreReadAsOfNowAndNotAsSinceBoot(string flags, string? reason)
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        recorded.Write("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", flags);
        Assert.Equal((reason is not null, reason), new BoardSensors(recorded.Root).ReadThrottling());
    }

    [Theory]
    [InlineData("Discharging", "20", "Normal", 20, true)]
    [InlineData("Discharging", "21", "Normal", 21, false)]
    [InlineData("Discharging", "30", "Critical", 30, true)]
    [InlineData("Discharging", null, "Low", null, true)]
    [InlineData("Charging", "3", "Low", 3, false)]
    public void ABatteryIsLowWhereItIsNearlyEmptyAndNotCharged(string status, string? capacity, string level, int? percent, bool isLow)
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        Assert.Null(new BoardSensors(recorded.Root).ReadBattery());
        WriteSupply(recorded, "axp20x-battery", ("type", "Battery"), ("present", "1"), ("status", status), ("capacity", capacity), ("capacity_level", level));
        WriteSupply(recorded, "axp20x-ac", ("type", "Mains"), ("online", "0"), ("capacity", "0"));
        WriteSupply(recorded, "hidpp_battery_0", ("type", "Battery"), ("scope", "Device"), ("status", "Discharging"), ("capacity", "90"));
        WriteSupply(recorded, "bay", ("type", "Battery"), ("present", "0"), ("status", "Unknown"), ("capacity", "100"));
        Assert.Equal(new BatteryState { Percent = percent, Discharging = status == "Discharging", Low = isLow }, new BoardSensors(recorded.Root).ReadBattery());
    }

    [Fact]
    public void OfTwoBatteriesTheFullerOneTells()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        WriteSupply(recorded, "BAT0", ("type", "Battery"), ("status", "Discharging"), ("capacity", "4"));
        WriteSupply(recorded, "BAT1", ("type", "Battery"), ("status", "Not charging"), ("capacity", "80"));
        Assert.Equal(new BatteryState { Percent = 80, Discharging = false, Low = false }, new BoardSensors(recorded.Root).ReadBattery());
    }

    [Fact]
    public void ASpellOfThrottlingBetweenTwoLooksIsNotMissed()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        var watch = new ThermalWatch(new BoardSensors(recorded.Root));
        Assert.False(watch.TakeWindow().Throttled);
        recorded.Write("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "40000");
        var window = watch.TakeWindow();
        Assert.True(window.Throttled);
        Assert.Equal("thermal", window.ThrottleReason);
        var next = watch.TakeWindow();
        Assert.False(next.Throttled);
        Assert.Null(next.ThrottleReason);
    }

    [Fact]
    public void AJetsonsCpuZoneCountsAndItsOtherZonesDoNot()
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        var board = new BoardSensors(recorded.Root);
        Assert.Equal(49.312, board.ReadCelsius());
        Assert.Equal((true, "thermal"), board.ReadThrottling());
        Assert.Equal("NVIDIA Jetson Orin Nano Developer Kit", board.ReadHardware().Model);
        Assert.Null(board.ReadCpuMegahertz());
    }

    [Fact]
    public void APcThrottlesWhenItsCountersRiseAndIsNamedByItsFirmware()
    {
        using var recorded = new RecordedBoard(RecordedBoard.DesktopPc);
        var board = new BoardSensors(recorded.Root);
        Assert.Equal("Dell Inc. OptiPlex 3060", board.ReadHardware().Model);
        Assert.Equal("Intel(R) Core(TM) i5-8500 CPU @ 3.00GHz", board.ReadHardware().CpuModel);
        Assert.Equal(45, board.ReadCelsius());
        Assert.Equal(3200, board.ReadCpuMegahertz());
        Assert.Equal((false, null), board.ReadThrottling());
        recorded.Write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "13");
        Assert.Equal((true, "thermal"), board.ReadThrottling());
        Assert.Equal((false, null), board.ReadThrottling());
    }

    [Fact]
    public void AMaximumFrequencyLoweredWhileWeWatchIsACap()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        var board = new BoardSensors(recorded.Root);
        board.ReadThrottling();
        recorded.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq", "1500000");
        Assert.Equal((true, "frequency-capped"), board.ReadThrottling());
        recorded.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq", "2400000");
        Assert.Equal((false, null), board.ReadThrottling());
    }

    [Fact]
    public void ADriverThatIsLoadedLaterIsHeardInTime()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        recorded.Remove("sys/class/hwmon/hwmon2");
        var board = new BoardSensors(recorded.Root);
        Assert.Equal((false, null), board.ReadThrottling());
        recorded.Write("sys/class/hwmon/hwmon2/name", "rpi_volt");
        recorded.Write("sys/class/hwmon/hwmon2/in0_lcrit_alarm", "1");
        Assert.Contains(Enumerable.Range(0, 64), _ => board.ReadThrottling() == (true, "under-voltage"));
    }

    [Fact]
    public void FirmwarePlaceholdersAreNoName()
    {
        using var recorded = new RecordedBoard(RecordedBoard.DesktopPc);
        recorded.Write("sys/class/dmi/id/product_name", "To Be Filled By O.E.M.\n");
        Assert.Equal("Intel(R) Core(TM) i5-8500 CPU @ 3.00GHz", new BoardSensors(recorded.Root).ReadHardware().Model);
    }

    [Fact]
    public void AMachineThatShowsNothingIsNullAndNeverZero()
    {
        using var recorded = new RecordedBoard(RecordedBoard.BareMachine);
        var board = new BoardSensors(recorded.Root);
        Assert.Null(board.ReadCelsius());
        Assert.Null(board.ReadCpuMegahertz());
        Assert.Equal((null, null), board.ReadThrottling());
        Assert.Null(board.ReadAvailableByteCount());
        Assert.Null(board.ReadPssByteCount(1));
        Assert.Null(board.ReadTreeCpuTime(1));
        Assert.Null(board.ReadBusySeconds());
        var window = new ThermalWatch(board).TakeWindow();
        Assert.Null(window.Throttled);
        Assert.Equal("unknown", board.ReadHardware().Model);
        Assert.True(board.ReadHardware().MemoryByteCount > 0);
    }

    [Fact]
    public void NonsenseInTheFilesIsNull()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        recorded.Write("sys/class/thermal/thermal_zone0/temp", "-274000");
        recorded.Write("sys/class/hwmon/hwmon0/temp1_input", "garbage");
        recorded.Write("proc/meminfo", "MemAvailable: kB");
        recorded.Write("proc/7/stat", "7 (short");
        var board = new BoardSensors(recorded.Root);
        Assert.Null(board.ReadCelsius());
        Assert.Null(board.ReadAvailableByteCount());
        Assert.Null(board.ReadTreeCpuTime(7));
    }

    [Fact]
    public void AProcessTreesCpuTimeIncludesChildrenThatLiveAndThatHaveEnded()
    {
        using var recorded = new RecordedBoard("""
            proc/10/stat: 10 (dunlin (agent)) S 1 10 10 0 -1 4194560 0 0 0 0 150 50 20 5 20 0 9 0 100 0 0
            proc/10/task/10/children: 11 12
            proc/11/stat: 11 (worker) S 10 10 10 0 -1 4194560 0 0 0 0 1000 100 0 0 20 0 9 0 100 0 0
            proc/11/task/11/children: 13
            proc/13/stat: 13 (heat) S 11 10 10 0 -1 4194560 0 0 0 0 30 0 0 0 20 0 9 0 100 0 0
            """);
        var board = new BoardSensors(recorded.Root);
        Assert.Equal(TimeSpan.FromSeconds(13.55), board.ReadTreeCpuTime(10));
    }

    [Fact]
    public void ThisMachineTellsOfThisProcess()
    {
        var board = new BoardSensors();
        Assert.InRange(board.ReadPssByteCount(Environment.ProcessId)!.Value, 1_000_000, 10_000_000_000);
        Assert.InRange(board.ReadTreeCpuTime(Environment.ProcessId)!.Value, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(24));
        Assert.True(board.ReadBusySeconds() > 0);
    }

    private static void WriteSupply(RecordedBoard board, string name, params ReadOnlySpan<(string File, string? Text)> files)
    {
        foreach (var (file, text) in files)
            if (text is not null) board.Write($"sys/class/power_supply/{name}/{file}", text);
    }
}
