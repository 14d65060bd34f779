using Dunlin.Optimizer.Graph;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Computes a model for several images at once, piece by piece, and keeps between the pieces what is still needed, so that results may be changed on the way.</summary>
internal sealed class LayerWalk : IDisposable
{
    private readonly ModelProto _model;
    private readonly Dictionary<string, TensorProto> _constants;
    private readonly Dictionary<string, int> _lastReader = [];
    private readonly Dictionary<string, IReadOnlyList<OrtValue>> _live = [];
    private readonly RunOptions _run = new();
    private int _next;

    /// <param name="model">Its nodes in order; each is computed as it is, without fusion.</param>
    /// <param name="input">The image.</param>
    /// <param name="images">Preprocessed; used in place.</param>
    public LayerWalk(ModelProto model, ModelInput input, IReadOnlyList<float[]> images)
    {
        _model = model;
        _constants = model.Graph.Initializer.ToDictionary(i => i.Name);
        for (var i = 0; i < model.Graph.Node.Count; i++)
            foreach (var name in model.Graph.Node[i].Input) _lastReader[name] = i;
        _live[input.Name] = [.. images.Select(image => OrtValue.CreateTensorValueFromMemory(image, [.. input.Shape]))];
    }

    /// <summary>Goes on up to the node that computes a value, and gives the value of each image; it stays the walk's own.</summary>
    public IReadOnlyList<OrtValue> To(string value)
    {
        var begin = _next;
        while (!_model.Graph.Node[_next++].Output.Contains(value)) { }
        var nodes = _model.Graph.Node.Skip(begin).Take(_next - begin).ToList();
        var made = nodes.SelectMany(n => n.Output).Where(o => o.Length > 0).ToHashSet();
        var inputs = nodes.SelectMany(n => n.Input).Where(_live.ContainsKey).Distinct().ToList();
        var outputs = made.Where(o => o == value || _lastReader.GetValueOrDefault(o, -1) >= _next).ToList();
        Compute(nodes, inputs, outputs);
        foreach (var name in _live.Keys.Where(n => n != value && _lastReader.GetValueOrDefault(n, -1) < _next).ToList())
        {
            foreach (var old in _live[name]) old.Dispose();
            _live.Remove(name);
        }

        return _live[value];
    }

    public void Dispose()
    {
        foreach (var value in _live.Values.SelectMany(v => v)) value.Dispose();
        _run.Dispose();
    }

    private void Compute(List<NodeProto> nodes, List<string> inputs, List<string> outputs)
    {
        var piece = new ModelProto { IrVersion = _model.IrVersion, Graph = new GraphProto { Name = "piece" } };
        piece.OpsetImport.AddRange(_model.OpsetImport);
        piece.Graph.Node.AddRange(nodes);
        piece.Graph.Initializer.AddRange(nodes.SelectMany(n => n.Input).Distinct().Where(_constants.ContainsKey).Select(n => _constants[n]));
        foreach (var name in inputs)
        {
            var type = new TypeProto.Types.Tensor { ElemType = (int)_live[name][0].GetTensorTypeAndShape().ElementDataType };
            piece.Graph.Input.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } });
        }

        piece.Graph.Output.AddRange(outputs.Select(o => new ValueInfoProto { Name = o }));
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        using var session = new InferenceSession(piece.ToByteArray(), options);
        var images = _live.First().Value.Count;
        var results = outputs.ToDictionary(o => o, _ => new List<OrtValue>());
        for (var i = 0; i < images; i++)
        {
            // Only the list is let go of: its values live on here.
            var computed = session.Run(_run, inputs, [.. inputs.Select(n => _live[n][i])], outputs);
            for (var k = 0; k < outputs.Count; k++) results[outputs[k]].Add(computed[k]);
        }

        foreach (var (name, values) in results) _live[name] = values;
    }
}
