using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Optimizer.Quantization;

/// <summary><c>quantize</c>: float32 ONNX in, int8 QDQ ONNX out.</summary>
internal static class QuantizeCommand
{
    /// <summary>The first in which QuantizeLinear knows an axis.</summary>
    private const long PerChannelOpset = 13;

    private static readonly Argument<FileInfo> Model = new("model") { Description = "A float32 ONNX file." };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write.", Required = true };
    private static readonly Option<int> Images = new("--images") { Description = "Training images to calibrate with.", DefaultValueFactory = _ => 512 };

    public static Command Create()
    {
        var command = new Command("quantize", "Quantizes to int8 (static QDQ: unsigned activations, signed weights per channel, min-max).") { Model, DataOption.Folder, Out, Images };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var images = FashionMnist.ReadTraining(arguments.GetValue(DataOption.Folder)!.FullName).Take(arguments.GetValue(Images));
        var graph = ModelGraph.Load(arguments.GetValue(Model)!.FullName);
        if (graph.Opset < PerChannelOpset) throw new InvalidDataException($"The model uses operator set {graph.Opset}; quantizing per channel needs {PerChannelOpset} or newer. Export it anew.");
        BatchNormFolding.Apply(graph);
        var model = graph.Model;
        var tensors = QuantizedTensors.Of(model.Graph);
        var ranges = MinMaxCalibration.Measure(model, tensors, Preprocessed(images, graph.Input.Name), cancellationToken);
        var quantized = QdqQuantizer.Quantize(model, ranges);
        Provenance.Add(quantized, new Technique
        {
            Kind = "quantized",
            Summary = "int8 QDQ per-channel",
            Parameters = new Dictionary<string, string>
            {
                ["activations"] = "u8",
                ["weights"] = "s8",
                ["calibration"] = "min-max",
                ["images"] = images.Count.ToString(CultureInfo.InvariantCulture),
            },
        });
        var path = arguments.GetValue(Out)!.FullName;
        ModelFile.Save(quantized, path);
        arguments.InvocationConfiguration.Output.WriteLine($"{path}: {tensors.Count} activations calibrated on {images.Count} images, {new FileInfo(path).Length} bytes");
        return 0;
    }

    private static IEnumerable<float[]> Preprocessed(LabelledImages images, string input)
    {
        using var preprocessor = new Preprocessor(FashionMnist.Input(input, region: null));
        var tensor = new float[preprocessor.TensorLength];
        for (var i = 0; i < images.Count; i++)
        {
            preprocessor.ProcessModelSized(images.Image(i), tensor);
            yield return tensor;
        }
    }
}
