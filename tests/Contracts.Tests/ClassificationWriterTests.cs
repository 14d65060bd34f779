using System.Buffers;
using System.Text;
using System.Text.Json;
using Dunlin.Contracts.Messages;
using Dunlin.TestKit.Samples;

namespace Dunlin.Contracts.Tests;

public sealed class ClassificationWriterTests
{
    public static TheoryData<Classification> Results =>
    [
        SampleMessages.Result(),
        SampleMessages.Result() with { Scores = [] },
        SampleMessages.Result() with
        {
            Captured = new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.FromHours(2)).AddTicks(1_234_500), Variant = "\"quoted\" \\ & <é> 🐦",
            Scores = [new Score(0, "cup & saucer's", 0.3f), new Score(1000, "tab\there", 1e-30), new Score(7, "", 1)], LatencyMilliseconds = 0.1 + 0.2, Frame = long.MaxValue,
        },
    ];

    [Theory]
    [MemberData(nameof(Results))]
    public void ItWritesWhatTheSerializerWrites(Classification result)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { SkipValidation = true })) ClassificationWriter.Write(json, result);
        Assert.Equal(JsonSerializer.Serialize(result, MessageJson.Default.Classification), Encoding.UTF8.GetString(bytes.WrittenSpan));
    }
}
