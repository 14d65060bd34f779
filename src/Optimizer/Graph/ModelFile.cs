using Dunlin.Bundles.Durability;
using Google.Protobuf;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>ONNX files: read with a clear word where they are not, written whole or not at all.</summary>
internal static class ModelFile
{
    /// <summary>What we write of our own: opset 17 and IR 8, which ONNX Runtime 1.12 and Debian 12's onnx read as well.</summary>
    public const long OpsetVersion = 17;

    public const long IrVersion = 8;

    /// <exception cref="InvalidDataException">The file is not an ONNX model with a graph.</exception>
    public static ModelProto Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no model '{path}'; make one with `dunlin-optimizer train`.", path);
        if (new FileInfo(path).Length > int.MaxValue)
            throw new InvalidDataException($"'{path}' is over 2 GB, more than one protobuf message can hold; a model for these devices is far smaller.");
        ModelProto model;
        try
        {
            using var file = File.OpenRead(path);
            model = ModelProto.Parser.ParseFrom(file);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new InvalidDataException($"'{path}' is not an ONNX model, or only the beginning of one: {error.Message}", error);
        }

        if (model.Graph is null || model.Graph.Node.Count == 0 || model.OpsetImport.Count == 0)
            throw new InvalidDataException($"'{path}' is not an ONNX model: it has no graph or names no operator set.");
        return model;
    }

    public static void Save(ModelProto model, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        DurableFile.Write(path, file => model.WriteTo(file));
    }
}
