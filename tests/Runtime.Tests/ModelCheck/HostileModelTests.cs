using Dunlin.Runtime.ModelCheck;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.ModelCheck;

/// <summary>Row 33 of the promises: the static check refuses all of the corpus, whatever the release says of it.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class HostileModelTests
{
    public static TheoryData<string> Names => [.. HostileModel.Corpus.Select(model => model.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AHostileModelIsRefusedWithItsCodeAPlaceAndANextStep(string name)
    {
        var hostile = HostileModel.Corpus.Single(model => model.Name == name);
        var bytes = hostile.Make();
        var started = Environment.CpuUsage.TotalTime;
        var refusal = Walked.Refuse(hostile.Code, bytes, Walked.Claims(bytes.Length) with { Operators = HostileModel.Operators });
        Assert.InRange((Environment.CpuUsage.TotalTime - started).TotalSeconds, 0, 5);
        Assert.StartsWith("At byte ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("; ", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(refusal.Message.Length, 40, 900);
        Assert.DoesNotContain(refusal.Message, char.IsControl);
        TestContext.Current.TestOutputHelper?.WriteLine($"{refusal.Code}: {refusal.Message}");
    }

    [Fact]
    public void EveryPrefixOfAModelIsRefused()
    {
        var model = OnnxModels.Tiny();
        // At its end stand operator sets that no node uses.
        const int unusedByteCount = 40;
        for (var length = 0; length < model.Length - unusedByteCount; length++)
            Assert.Throws<ModelRefusedException>(() => Walked.Accept(model[..length], Walked.Claims(length)));
    }

    [Fact]
    public void AnyByteMayChangeAndTheWalkEndsWithAnAnswer()
    {
        var model = OnnxModels.Tiny();
        var random = new Random(5);
        for (var round = 0; round < 20_000; round++)
        {
            var bent = (byte[])model.Clone();
            for (var change = random.Next(1, 4); change > 0; change--) bent[random.Next(bent.Length)] = (byte)random.Next(256);
            try
            {
                Walked.Accept(bent);
            }
            catch (ModelRefusedException e)
            {
                Assert.StartsWith("check.", e.Code, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void AFileOfAnotherLengthThanTheManifestSaysIsRefusedUnread() =>
        Walked.Refuse(CheckCodes.Size, OnnxModels.Tiny(), Walked.Claims(12));

    [Fact]
    public void AFileThatIsMissingIsRefused() => Assert.Equal(CheckCodes.Unreadable,
        Assert.Throws<ModelRefusedException>(() => ModelWalk.Check(Walked.Claims(1) with { ModelPath = "/nowhere/model.onnx" })).Code);

    [Fact]
    public void AFileThatShrinksWhileItIsReadIsRefused()
    {
        var model = OnnxModels.Heavy(2);
        using var shrinking = new ShrinkingStream(model);
        Assert.Equal(CheckCodes.Unreadable, Assert.Throws<ModelRefusedException>(() => ModelWalk.Check(shrinking, Walked.Claims(model.Length, 7))).Code);
    }

    [Fact]
    public void NamesInMessagesAreShortAndCannotMoveTheCursor()
    {
        var evil = "\u001b[2J\u202e" + new string('x', 300);
        var refusal = Walked.Refuse(CheckCodes.Operator, new OnnxGraph().Node(evil, ["a"], ["b"]).ToModel());
        Assert.DoesNotContain('\u001b', refusal.Message);
        Assert.DoesNotContain('\u202e', refusal.Message);
        Assert.DoesNotContain(new string('x', 100), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsMayBeListedAsInputsAsOldExportersDo()
    {
        var model = new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Input("dense", OnnxType.Float, 10, 3).Output(OnnxModels.Output, OnnxType.Float, 1, 10)
            .Weights("dense", new float[30], 10, 3)
            .Node("GlobalAveragePool", [OnnxModels.Input], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
            .Node("Gemm", ["flat", "dense"], [OnnxModels.Output], NodeSetting.Integer("transB", 1)).ToModel(ir: 3, opset: 9);
        Walked.Accept(model);
    }

    /// <summary>Says its full length, and has only the first half.</summary>
    private sealed class ShrinkingStream(byte[] bytes) : MemoryStream(bytes[..(bytes.Length / 2)])
    {
        public override long Length { get; } = bytes.Length;
    }
}
