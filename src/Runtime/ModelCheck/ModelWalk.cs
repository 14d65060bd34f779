using Dunlin.Contracts.Worker;

namespace Dunlin.Runtime.ModelCheck;

/// <summary>
/// The static check of a release's model (docs/promises.md, row 33): one pass over the protobuf of an ONNX file that refuses
/// whatever an image classifier does not need and ONNX Runtime could be hurt by. Reads through one buffer of 64 KiB and
/// remembers the graph's names; weights are stepped over. Loads no ONNX Runtime. Nothing that it accepts is thereby
/// harmless: it makes the file as dull as the release says, and loading is still left to a heat process.
/// </summary>
public static class ModelWalk
{
    private const int IrField = 1, ProducerField = 2, ProducerVersionField = 3, DomainField = 4, VersionField = 5, DocField = 6, GraphField = 7, OpsetField = 8,
        MetadataField = 14, TrainingField = 20, FunctionsField = 25;

    private const string Message = "the model";

    /// <exception cref="ModelRefusedException">A rule is broken.</exception>
    public static ModelChecked Check(CheckModel request)
    {
        FileStream file;
        try
        {
            file = new FileStream(request.ModelPath, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelRefusedException(CheckCodes.Unreadable, $"The model cannot be opened: {e.Message.TrimEnd('.')}; fetch it again.");
        }

        using (file) return Check(file, request);
    }

    /// <summary>The same over a stream that can seek.</summary>
    /// <exception cref="ModelRefusedException">A rule is broken.</exception>
    public static ModelChecked Check(Stream model, CheckModel request)
    {
        if (!model.CanSeek) throw new ModelRefusedException(CheckCodes.Unreadable, $"'{request.ModelPath}' is no regular file; fetch it again.");
        if (model.Length != request.ByteCount)
            throw new ModelRefusedException(CheckCodes.Size, $"The model has {model.Length} bytes, and the manifest says {request.ByteCount}; fetch it again.");
        var walk = new WalkState(new WireReader(model, model.Length), request);
        try
        {
            Walk(walk);
        }
        catch (IOException e)
        {
            throw new ModelRefusedException(CheckCodes.Unreadable, $"The model cannot be read: {e.Message.TrimEnd('.')}; fetch it again.");
        }

        return new ModelChecked { NodeCount = walk.NodeCount, TensorCount = walk.TensorCount, WeightByteCount = walk.WeightByteCount };
    }

    private static void Walk(WalkState walk)
    {
        var graph = new GraphWalk(walk);
        var opsets = new OpsetImports(walk);
        var once = new Once();
        var ir = 0L;
        while (walk.Reader.Next(walk.Reader.Length, out var field))
        {
            if (field.Number is IrField or ProducerField or ProducerVersionField or DomainField or VersionField or DocField or GraphField) once.Take(walk, field);
            switch (field.Number)
            {
                case IrField when field.Type == WireType.Varint:
                    ir = unchecked((long)field.Value);
                    break;
                case VersionField when field.Type == WireType.Varint:
                    break;
                case GraphField when field.Type == WireType.Bytes:
                    graph.Walk(field);
                    break;
                case OpsetField:
                    opsets.Add(field);
                    break;
                case ProducerField or ProducerVersionField or DomainField or DocField or MetadataField:
                    walk.SkipText(field, Message);
                    break;
                case FunctionsField:
                    throw walk.Refuse(CheckCodes.Function, field.Start, "the model has functions of its own", "inline the model's functions");
                case TrainingField:
                    throw walk.Refuse(CheckCodes.Training, field.Start, "the model has training information", "export the model for inference");
                default:
                    throw walk.Unknown(field, Message);
            }
        }

        if (!once.Has(GraphField)) throw walk.Refuse(CheckCodes.Graph, walk.Reader.Length, "the model has no graph", "check that this is the right file");
        if (ir is < OnnxVersions.OldestIr or > OnnxVersions.NewestIr)
            throw walk.Refuse(CheckCodes.IrVersion, 0, $"the model is of IR version {ir}, and this agent knows {OnnxVersions.OldestIr}…{OnnxVersions.NewestIr}", "export it for one of those, or update the agent");
        opsets.Finish(graph.UsedDomains);
    }
}
