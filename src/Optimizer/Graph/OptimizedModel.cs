using Dunlin.Runtime.Sessions;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>A model as ONNX Runtime optimizes it on this machine, for this machine.</summary>
internal static class OptimizedModel
{
    public static void Save(ModelProto model, string path)
    {
        _ = OnnxEnvironment.Instance;
        // It warns that what it writes is for this machine only; that is what is wanted.
        using var options = new SessionOptions { IntraOpNumThreads = 1, OptimizedModelFilePath = path, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using (new InferenceSession(model.ToByteArray(), options)) { }
    }
}
