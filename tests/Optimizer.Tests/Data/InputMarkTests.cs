using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;
using Onnx;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class InputMarkTests
{
    private static readonly InputOptions Nothing = new(null, null, null, null, null);

    private readonly ModelGraph _graph = ModelGraph.Of(FoldedResidual.Make(new ResidualSpec([8], [1], StemStride: 2, ClassCount: 3)));

    [Fact]
    public void WhatAModelWasMadeWithNeedNotBeSaidAgain()
    {
        var made = new InputOptions(ChannelOrder.Gray, [100], [50], FitMode.Letterbox, null).For(_graph);
        InputMark.Write(_graph.Model, made);

        var later = (Nothing with { AreGarments = true }).For(_graph);

        Assert.Equal((made.Fit, made.Mean[0], made.Scale[0]), (later.Fit, later.Mean[0], later.Scale[0]));
    }

    [Fact]
    public void WhatIsSaidCountsMoreThanWhatTheModelTells()
    {
        InputMark.Write(_graph.Model, new InputOptions(null, [100], [50], FitMode.Letterbox, null).For(_graph));

        var input = (Nothing with { Mean = [7], Fit = FitMode.Stretch }).For(_graph);

        Assert.Equal((FitMode.Stretch, 7f, 1 / 50f), (input.Fit, input.Mean[0], input.Scale[0]));
    }

    [Fact]
    public void WithoutAMarkTheDefaultsHold()
    {
        var input = Nothing.For(_graph);

        Assert.Equal((FitMode.CenterCrop, 0f, 1 / 255f), (input.Fit, input.Mean[0], input.Scale[0]));
    }

    [Fact]
    public void MetadataThatIsNotOursIsNamed()
    {
        _graph.Model.MetadataProps.Add(new StringStringEntryProto { Key = "dunlin.input", Value = "gray" });

        Assert.Contains("dunlin.input", Assert.Throws<InvalidDataException>(() => Nothing.For(_graph)).Message, StringComparison.Ordinal);
    }
}
