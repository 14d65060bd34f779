using System.Text.Json;
using Dunlin.Contracts.Messages;
using Dunlin.TestKit.Samples;

namespace Dunlin.Contracts.Tests;

/// <summary>Small brokers take 128 KiB: what a device may reply stays below, as the agent makes it of its parts.</summary>
public sealed class ReplySizeTests
{
    private const int BrokerLimitByteCount = 128 * 1024;

    /// <summary>Topic, properties and correlation data of a message.</summary>
    private const int HeaderByteCount = 512;

    // In Base64 nothing but '+', which JSON's default encoder writes in six bytes.
    private static readonly byte[] Image = [.. Enumerable.Range(0, Snapshot.MaximumImageByteCount).Select(i => (byte)(i % 3 == 0 ? 0xFB : i % 3 == 1 ? 0xEF : 0xBE))];

    /// <summary>A share in as many bytes as one may take.</summary>
    private const double Longest = 1.2345678901234567E-300;

    private static readonly Snapshot Largest = new() { Image = Image, Frame = long.MaxValue, Captured = DateTimeOffset.MaxValue, Width = ushort.MaxValue, Height = ushort.MaxValue };

    [Fact]
    public void ASnapshotOfTheLargestImageFits()
    {
        var payload = ReplyBytes(JsonSerializer.SerializeToElement(Largest, MessageJson.Default.Snapshot));
        Assert.InRange(payload.Length, Snapshot.MaximumImageByteCount * 4 / 3, BrokerLimitByteCount - HeaderByteCount);
        var read = JsonSerializer.Deserialize(payload, MessageJson.Default.Reply)!.Payload!.Value;
        Assert.Equal(Image, JsonSerializer.Deserialize(read, MessageJson.Default.Snapshot)!.Image.ToArray());
    }

    /// <summary>The heat comes from a child, which need not round it; a label may need an escape for each of its characters.</summary>
    [Fact]
    public void AnExplanationOfTheLargestImageHeatAndLabelFits()
    {
        var explanation = new Explanation
        {
            Image = Largest.Image, Frame = Largest.Frame, Captured = Largest.Captured, Width = Largest.Width, Height = Largest.Height,
            Release = SampleDocuments.DigestOf("release"), Variant = new string('v', 64), Score = new Score(ushort.MaxValue, new string('é', 256), Longest),
            Area = new FrameArea(Longest, Longest, Longest, Longest), Columns = Explanation.MaximumSide, Rows = Explanation.MaximumSide,
            Heat = [.. Enumerable.Repeat(Longest, Explanation.MaximumSide * Explanation.MaximumSide)],
        };
        Assert.Null(PictureRules.OfHeat(explanation.Heat, explanation.Columns, explanation.Rows, explanation.Area));
        var payload = ReplyBytes(JsonSerializer.SerializeToElement(explanation, MessageJson.Default.Explanation));
        Assert.InRange(payload.Length, Snapshot.MaximumImageByteCount * 4 / 3, BrokerLimitByteCount - HeaderByteCount);
    }

    /// <summary>Who shows a reply in a page finds no more in it than before.</summary>
    [Fact]
    public void TextOfAPayloadIsEscapedAsInAnyOtherMessage()
    {
        var payload = ReplyBytes(JsonSerializer.SerializeToElement(new LogLevelChange("</script>&'+é\"", default), MessageJson.Default.LogLevelChange));
        Assert.True(payload.AsSpan().IndexOf("\"\\u003C/script\\u003E\\u0026\\u0027\\u002B\\u00E9\\u0022\""u8) > 0, System.Text.Encoding.UTF8.GetString(payload));
    }

    private static byte[] ReplyBytes(JsonElement payload) =>
        JsonSerializer.SerializeToUtf8Bytes(SampleMessages.Reply() with { Id = new string('n', 64), Payload = payload }, MessageJson.Default.Reply);
}
