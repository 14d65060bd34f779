using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.TestKit.Samples;

namespace Dunlin.Fleet.Tests.Commanding;

/// <summary>What a device that does its job sends of its camera.</summary>
internal static class Pictures
{
    public static byte[] Jpeg { get; } = [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3, 0xFF, 0xD9];

    public static Snapshot Snapshot { get; } = new() { Image = Jpeg, Frame = 812, Captured = SampleDocuments.Noon, Width = 640, Height = 480 };

    public static Explanation Explanation { get; } = new()
    {
        Image = Jpeg, Frame = 813, Captured = SampleDocuments.Noon, Width = 640, Height = 480, Release = SampleDocuments.DigestOf("release"), Variant = "narrow-int8",
        Score = new Score(8, "bag", 0.982), Area = new FrameArea(0.125, 0, 0.75, 1), Columns = 3, Rows = 2, Heat = [0, 0.25, 0.5, 0.75, 1, 0],
    };

    public static JsonElement Json(this Snapshot snapshot) => JsonSerializer.SerializeToElement(snapshot, MessageJson.Default.Snapshot);

    public static JsonElement Json(this Explanation explanation) => JsonSerializer.SerializeToElement(explanation, MessageJson.Default.Explanation);
}
