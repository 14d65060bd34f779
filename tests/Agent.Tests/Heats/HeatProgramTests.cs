using Dunlin.Agent.Heats;
using Dunlin.Telemetry.Board;
using Dunlin.TestKit.Machine;

namespace Dunlin.Agent.Tests.Heats;

public sealed class HeatProgramTests
{
    [Fact]
    public void ARaceHearsTheFirmwareOfARaspberryPi5WhileItThrottles()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        var isThrottled = HeatProgram.Throttling(new BoardSensors(recorded.Root));
        Assert.False(isThrottled());
        recorded.Write("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "0x4");
        Assert.True(isThrottled());
        recorded.Write("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "0");
        Assert.False(isThrottled());
    }

    [Fact]
    public void ABoardThatSaysNothingOfItsClockDoesNotThrottleARace()
    {
        using var recorded = new RecordedBoard(RecordedBoard.BareMachine);
        Assert.False(HeatProgram.Throttling(new BoardSensors(recorded.Root))());
    }
}
