using Dunlin.Contracts.Messages;

namespace Dunlin.Fleet.Tests.Commanding;

public sealed class PictureRulesTests
{
    private static readonly Explanation Good = Pictures.Explanation;

    public static TheoryData<string> Names => [.. Flaws.Keys];

    private static Dictionary<string, Snapshot> Flaws { get; } = new()
    {
        ["no bytes"] = Pictures.Snapshot with { Image = ReadOnlyMemory<byte>.Empty },
        ["another format"] = Pictures.Snapshot with { Image = "<svg onload='x'/>"u8.ToArray() },
        ["too many bytes"] = Pictures.Snapshot with { Image = (byte[])[0xFF, 0xD8, .. new byte[Snapshot.MaximumImageByteCount - 1]] },
        ["no width"] = Pictures.Snapshot with { Width = 0 },
        ["a negative height"] = Pictures.Snapshot with { Height = -480 },
        ["too wide"] = Pictures.Snapshot with { Width = 65_536 },
        ["a picture that is none of an explanation"] = Good with { Image = new byte[] { 0xFF } },
        ["a cell too few"] = Good with { Heat = [0, 1, 0, 1, 0] },
        ["too many columns"] = Good with { Columns = 15, Rows = 1, Heat = new double[15] },
        ["negative sides whose product fits"] = Good with { Columns = -3, Rows = -2 },
        ["sides whose product overflows"] = Good with { Columns = 65_536, Rows = 65_536, Heat = [] },
        ["heat above 1"] = Good with { Heat = [0, 0, 0, 0, 0, 1.01] },
        ["heat below 0"] = Good with { Heat = [-0.01, 0, 0, 0, 0, 0] },
        ["heat that is no number"] = Good with { Heat = [double.NaN, 0, 0, 0, 0, 0] },
        ["a probability above 1"] = Good with { Score = new Score(1, "bag", 2) },
        ["an area beyond the right side"] = Good with { Area = new FrameArea(0.5, 0, 0.6, 1) },
        ["an area above the frame"] = Good with { Area = new FrameArea(0, -0.1, 1, 1) },
        ["an area without a height"] = Good with { Area = new FrameArea(0, 0, 1, 0) },
        ["an area that is no number"] = Good with { Area = new FrameArea(0, 0, double.NaN, 1) },
    };

    [Fact]
    public void WhatKeepsTheRulesHasNoProblem()
    {
        Assert.Null(PictureRules.Of(Pictures.Snapshot));
        Assert.Null(PictureRules.Of(Good));
        Assert.Null(PictureRules.Of(Good with { Area = new FrameArea(1.0 / 3, 0, 2.0 / 3 + 1e-12, 1), Score = new Score(8, "bag", 1.0000001) }));
        Assert.Null(PictureRules.Of(Pictures.Snapshot with { Image = (byte[])[0xFF, 0xD8, .. new byte[Snapshot.MaximumImageByteCount - 2]] }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EachFlawIsFound(string name) => Assert.NotNull(PictureRules.Of(Flaws[name]));
}
