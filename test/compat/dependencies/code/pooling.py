from sentence_transformers.sentence_transformer.modules import Pooling


class DoublePooling(Pooling):
    def forward(self, features, **kwargs):
        features = super().forward(features, **kwargs)
        features["sentence_embedding"] = 2 * features["sentence_embedding"]
        return features
